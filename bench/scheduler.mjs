// The scheduler's decision alone, with a full queue: it runs at every change, so it has to cost nothing.
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { percentile } from './client.mjs';

const REQUESTS = 1_000;
const MODELS = 12;
const ROUNDS = 2_000;
const LIMIT_MS = 0.1;
const GIGABYTE = 1_073_741_824;

/** @param {string} folder  where the built decision may lie */
export async function benchScheduler(folder, report) {
  const { decide } = await built(folder);
  for (const [what, facts] of [
    ['memory for a third of the models', crowded({ readyModels: 4, freeBytes: 0 })],
    ['one model, all of its conversations in use', crowded({ readyModels: 1, models: 1, freeBytes: 0 })],
  ]) {
    for (let round = 0; round < 500; round += 1) decide(facts);
    const times = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const startedAt = performance.now();
      decide(facts);
      times.push(performance.now() - startedAt);
    }
    const middle = percentile(times, 0.5);
    report(
      `one decision with ${REQUESTS} waiting, ${what}, p50`,
      `${middle.toFixed(3)} ms (p99 ${percentile(times, 0.99).toFixed(3)} ms)`,
      `${LIMIT_MS} ms`,
      middle <= LIMIT_MS,
    );
  }
}

async function built(folder) {
  const bundle = await rolldown({
    input: join(import.meta.dirname, '..', 'src', 'models', 'model-schedule.ts'),
    platform: 'node',
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
  });
  const file = join(folder, 'model-schedule.mjs');
  await bundle.write({ file, format: 'esm' });
  await bundle.close();
  return import(file);
}

function crowded({ readyModels, models = MODELS, freeBytes }) {
  const now = 1_000_000;
  return {
    now,
    freeBytes,
    ranOut: new Set(),
    models: Array.from({ length: readyModels }, (_, index) => ({
      name: `model-${index}`,
      state: 'ready',
      bytes: 4 * GIGABYTE,
      freesBytes: 4 * GIGABYTE,
      holds: 4,
      conversations: 4,
      lastUsedAt: now - index * 100,
      readyAt: now - 60_000,
      keepAliveMs: 600_000,
      pinned: false,
      unloadAskedAt: null,
    })),
    queue: Array.from({ length: REQUESTS }, (_, index) => ({
      id: index,
      model: `model-${index % models}`,
      serviceClass: index % 3 === 0 ? 'background' : 'interactive',
      since: now - 40_000 + index * 40,
      gone: false,
      needs: { leastBytes: 3 * GIGABYTE, wantedBytes: 4 * GIGABYTE },
    })),
    limits: {
      loadedModels: 0,
      memoryBytes: 0,
      queued: REQUESTS,
      busyModels: 16,
      lingerMs: 250,
      patienceMs: { interactive: 10_000, background: 30_000 },
    },
  };
}
