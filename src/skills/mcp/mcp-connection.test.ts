import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { AppError } from '../../shared/errors.js';
import { type ConnectOptions, McpConnection } from './mcp-connection.js';
import { ProcessRecords } from './process-records.js';
import { StdioTransport } from './stdio-transport.js';

const FAKE = resolve(import.meta.dirname, '../../../test/stand-ins/fake-mcp-server.mjs');
const records = mkdtempSync(join(tmpdir(), 'venom-mcp-run-'));
const opened: McpConnection[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((connection) => connection.close()));
  rmSync(records, { recursive: true, force: true });
});

/** Everything of this fake that still runs, zombies left out. */
function processesOf(marker: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(marker);
    } catch {
      return false;
    }
  });
}

async function none(marker: string): Promise<boolean> {
  for (const deadline = Date.now() + 2_000; Date.now() < deadline; await new Promise((r) => setTimeout(r, 20)))
    if (processesOf(marker).length === 0) return true;
  return false;
}

function fake(mode: string, more: Partial<ConnectOptions> = {}) {
  const marker = `marker-${randomUUID()}`;
  let stderr = '';
  const lost: AppError[] = [];
  const transports: StdioTransport[] = [];
  const options: ConnectOptions = {
    server: 'fake',
    version: '0',
    protocol: 'auto',
    startMs: 8_000,
    idleMs: 5_000,
    ceilingMs: 20_000,
    transport: () => {
      const transport = new StdioTransport({
        command: [process.execPath, FAKE, mode, marker],
        cwd: '/tmp',
        environment: { PATH: process.env['PATH'] ?? '' },
        mark: `test:${marker}:${transports.length}`,
        onSpawn: () => {},
        onGone: () => {},
        onStderr: (text) => {
          stderr = (stderr + text).slice(-100_000);
        },
      });
      transports.push(transport);
      return transport;
    },
    onLost: (failure) => lost.push(failure),
    ...more,
  };
  return {
    marker,
    lost,
    transports,
    stderr: () => stderr,
    open: async () => {
      const connection = await McpConnection.open(options);
      opened.push(connection);
      return connection;
    },
    failure: async () => {
      const thrown = await McpConnection.open(options).then(
        () => undefined,
        (error: unknown) => error,
      );
      return thrown instanceof AppError ? thrown.code : thrown;
    },
  };
}

const code = (work: Promise<unknown>) =>
  work.then(
    () => 'no failure',
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );

describe('McpConnection over a process', () => {
  it('lists and calls, and leaves nothing behind', async () => {
    const { marker, open, lost } = fake('ok');
    const connection = await open();
    expect(connection.era).toBe('legacy');
    expect((await connection.listTools()).tools.map(({ name }) => name)).toContain('add');
    expect(await connection.callTool({ name: 'add', arguments: { a: 2, b: 3 } })).toMatchObject({
      structuredContent: { sum: 5 },
    });
    expect(processesOf(marker)).not.toEqual([]);
    await connection.close();
    expect(await none(marker)).toBe(true);
    expect(lost).toEqual([]);
  });

  it('asks a server that ends at an unknown first message again, the old way', async () => {
    const connection = await fake('exits-at-unknown').open();
    expect(connection.era).toBe('legacy');
  });

  it.each([
    ['exit0', 'mcp_crashed'],
    ['exit1', 'mcp_crashed'],
    ['partial', 'mcp_crashed'],
    ['flood', 'mcp_protocol'],
    ['huge-line', 'mcp_protocol'],
    ['silent', 'mcp_start_timeout'],
    ['wrong-id', 'mcp_start_timeout'],
    ['closes-stdin', 'mcp_start_timeout'],
  ])('a server that does %s is %s, and nothing of it is left', async (mode, expected) => {
    const { marker, failure } = fake(mode, {
      startMs: ['silent', 'wrong-id', 'closes-stdin'].includes(mode) ? 1_500 : 8_000,
    });
    // A server whose input is closed may also be seen to be gone.
    expect([expected, ...(mode === 'closes-stdin' ? ['mcp_crashed'] : [])]).toContain(await failure());
    expect(await none(marker)).toBe(true);
  });

  it('forgives a banner on stdout, and counts it', async () => {
    const { open, transports } = fake('banner');
    await open();
    expect(transports.at(-1)?.noise).toBe(2);
  });

  it('is not held up by a flood on stderr', async () => {
    const { open, stderr } = fake('flood-stderr');
    const connection = await open();
    expect(await connection.callTool({ name: 'echo', arguments: { text: 'x' } })).toMatchObject({
      content: [{ text: 'x' }],
    });
    expect(stderr()).toContain('complaint');
  });

  it.each(['grandchild', 'escaping-grandchild', 'ignores-term'])(
    '%s: all of it ends with the connection',
    async (mode) => {
      const { marker, open } = fake(mode);
      const connection = await open();
      expect(processesOf(marker).length).toBe(mode === 'ignores-term' ? 1 : 2);
      await connection.close();
      expect(await none(marker)).toBe(true);
    },
  );

  it('a grandchild that holds stdout does not hide the end of its server', async () => {
    const { marker, open, lost } = fake('grandchild-then-crash');
    const connection = await open();
    expect(await code(connection.listTools())).toBe('mcp_crashed');
    expect(lost.map((failure) => failure.code)).toEqual(['mcp_crashed']);
    expect(await none(marker)).toBe(true);
  });

  it('tells a call whose server crashes, and every later one', async () => {
    const { open, stderr } = fake('ok');
    const connection = await open();
    expect(await code(connection.callTool({ name: 'crash', arguments: {} }))).toBe('mcp_crashed');
    expect(await code(connection.callTool({ name: 'echo', arguments: { text: 'x' } }))).toBe('mcp_crashed');
    expect(stderr()).toContain('about to crash');
  });

  it('progress keeps a call alive, silence ends it', async () => {
    const connection = await fake('ok', { idleMs: 400 }).open();
    const seen: number[] = [];
    const busy = await connection.callTool({ name: 'busy' }, { onProgress: ({ progress }) => seen.push(progress) });
    expect(busy).toMatchObject({ content: [{ text: 'done' }] });
    expect(seen.length).toBeGreaterThan(0);
    expect(await code(connection.callTool({ name: 'silent' }))).toBe('mcp_timeout');
  });

  it('a call that is cancelled is over at once, and the server goes on', async () => {
    const connection = await fake('ok').open();
    const stop = new AbortController();
    const call = code(connection.callTool({ name: 'silent' }, { signal: stop.signal }));
    stop.abort();
    expect(await call).toBe('cancelled');
    expect(await connection.callTool({ name: 'echo', arguments: { text: 'x' } })).toMatchObject({
      content: [{ text: 'x' }],
    });
  });

  it('does not read pages without end', async () => {
    const connection = await fake('endless-pages').open();
    expect(await code(connection.listTools())).toBe('mcp_protocol');
  });

  it.each(['ignores-term', 'escaping-grandchild'])(
    '%s: all of it ends when this process is killed without a word',
    async (mode) => {
      const marker = `marker-${randomUUID()}`;
      const script = `
      const { StdioTransport } = await import(${JSON.stringify(resolve(import.meta.dirname, 'stdio-transport.ts'))});
      const transport = new StdioTransport({ command: [process.execPath, ${JSON.stringify(FAKE)}, '${mode}', '${marker}'],
        cwd: '/tmp', environment: {}, mark: '${marker}:own', onSpawn() {}, onGone() {}, onStderr() {} });
      await transport.start();
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), 200);`;
      const hooks = resolve(import.meta.dirname, '../../../scripts/typescript-hooks.mjs');
      expect(() =>
        execFileSync(process.execPath, ['--import', hooks, '--input-type=module', '-e', script], { stdio: 'pipe' }),
      ).toThrow();
      expect(await none(marker)).toBe(true);
    },
  );
});

describe('ProcessRecords', () => {
  it('ends what a former run left behind, and nobody else', async () => {
    const { marker, open } = fake('ignores-term');
    const connection = await open();
    const own = new ProcessRecords(records);
    const pid = connection.pid as number;
    const { startTicks } = await import('../../shared/process-tree.js');
    own.remember('old-number', { pid, startTicks: '1' });
    expect(own.endLeftovers()).toBe(0);
    expect(processesOf(marker)).toHaveLength(1);
    own.remember('a-mark', { pid, startTicks: startTicks(pid) });
    expect(new ProcessRecords(records).endLeftovers()).toBe(1);
    expect(await none(marker)).toBe(true);
    expect(readdirSync(records)).toEqual(['instance']);
  });
});
