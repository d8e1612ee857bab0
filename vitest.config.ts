// Which tests there are, by what they need: nothing, a browser, real MCP servers, the real starter model.
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Most of what crosses rooms waits for others, so on a small machine more of them run than there are cores.
    maxWorkers: Math.max(4, availableParallelism()),
    projects: [
      {
        test: {
          name: 'unit',
          // The files of a worker share one process: reading the whole server again for each costs more than its tests do.
          // `no-leftovers.ts` holds each file to leaving nothing behind.
          isolate: false,
          setupFiles: ['test/no-leftovers.ts'],
          // A busy machine is late; a wait that is met early costs nothing.
          testTimeout: 30_000,
          hookTimeout: 60_000,
          expect: { poll: { timeout: 5_000 } },
          include: [
            'src/**/*.test.ts',
            'scripts/**/*.test.ts',
            'web/src/**/*.test.ts',
            'test/*.test.ts',
            'test/{api,conformance,contracts,process}/**/*.test.ts',
          ],
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          testTimeout: 90_000,
          hookTimeout: 240_000,
          // A page on a busy machine draws late; a wait that is met early costs nothing.
          expect: { poll: { timeout: 20_000 } },
          // A page keeps one core busy about half the time.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'mcp',
          include: ['test/mcp/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'model',
          include: ['test/model-dependent/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
