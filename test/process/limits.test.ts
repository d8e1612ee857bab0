// The built server at its limits: told to stop while it is busy, on a disk that is full, with readers that hardly read and
// more tasks than may wait.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chunk, type FakeUpstream, startFakeUpstream, streams } from '../api/fake-upstream.js';
import { readEvents, textOf } from '../api/server.js';
import { TaskClient } from '../api/task-client.js';
import { startProcess, type VenomProcess } from './venom-process.js';

let folder: string;
let upstream: FakeUpstream;
let venom: VenomProcess;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'venom-limits-'));
  upstream = await startFakeUpstream();
});
afterEach(async () => {
  if (venom.child.exitCode === null && venom.child.signalCode === null) await venom.kill();
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

const start = async (env: Record<string, string> = {}, dataDir = folder) => {
  venom = await startProcess({ VENOM_DATA_DIR: dataDir, LLM_LOCAL_ENDPOINT: upstream.url, ...env });
  return new TaskClient(venom.url);
};
const send = (path: string, body: object) =>
  fetch(venom.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
/** Until more is taken, or nothing ever again. */
const room = (response: ServerResponse) =>
  new Promise<void>((resolve) => {
    const go = () => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.on('drain', go).on('close', go);
  });
const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const rssMb = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${venom.child.pid}/status`, 'utf8'))?.[1]) / 1_024;
const READERS = 10;
/** `VENOM_LIMIT_TASKS=10000` is the long form. */
const TASKS = Number(process.env['VENOM_LIMIT_TASKS'] ?? 2_000);
const PLACES = TASKS / 10;
const LONG = Array.from({ length: 100_000 }, () => 'x ');

/** Processes whose parent is the server. */
const children = (): string[] =>
  readdirSync('/proc').filter((name) => {
    try {
      return (
        /^\d+$/.test(name) &&
        readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(venom.child.pid)
      );
    } catch {
      return false;
    }
  });

describe('SIGTERM under load', () => {
  it('takes nothing new, ends every stream with an event, leaves no process, and exits with 0 in time', async () => {
    const client = await start();
    upstream.behaviour = streams(LONG, 20);
    const direct = await Promise.all(
      [1, 2, 3].map((n) => send('/api/v1/llm/simple/stream', { content: 'Long', session_id: `s-${n}` })),
    );
    const directEvents = direct.map((response) => readEvents(response));
    const task = await client.submit({ content: 'Tell me a long story', session_id: 's-task' });
    const taskEvents = client.follow(`/tasks/${task}/stream`);
    const messages = [{ role: 'user', content: 'Long' }];
    const others = (
      await Promise.all([
        send('/v1/chat/completions', { model: 'fake-model', stream: true, messages }),
        send('/v1/messages', { model: 'fake-model', stream: true, max_tokens: 9, messages }),
        send('/api/chat', { model: 'fake-model', messages }),
      ])
    ).map((response) => response.text());
    await expect.poll(() => upstream.open()).toBe(7);
    const born = children();
    const stopped = venom.stop();
    await wait(200);
    // The door is still open, and says no to each in its own form.
    for (const [path, body] of [
      ['/api/v1/llm/simple/stream', { content: 'More' }],
      ['/api/v1/tasks', { content: 'More' }],
      ['/v1/chat/completions', { model: 'fake-model', messages }],
      ['/v1/messages', { model: 'fake-model', max_tokens: 9, messages }],
      ['/api/chat', { model: 'fake-model', messages }],
    ] as const) {
      const refused = await send(path, body);
      expect([path, refused.status, refused.headers.get('retry-after')]).toEqual([
        path,
        path === '/v1/messages' ? 529 : 503,
        '2',
      ]);
      await refused.text();
    }
    const { code, ms } = await stopped;
    expect(code).toBe(0);
    expect(ms).toBeLessThan(12_000);
    for (const events of directEvents)
      expect((await events).at(-1)).toMatchObject({ event: 'error', data: { code: 'interrupted' } });
    expect((await taskEvents).at(-1)).toMatchObject({ event: 'task_finished', data: { status: 'FAILED' } });
    const [chat, message, ollama] = await Promise.all(others);
    expect(chat?.trim().split('\n').at(-1)).toContain('"code":"interrupted"');
    expect(message).toMatch(/event: error\n[^\n]+\n\n$/);
    expect(JSON.parse(ollama?.trim().split('\n').at(-1) ?? '')).toHaveProperty('error');
    for (const pid of born) expect(() => process.kill(Number(pid), 0)).toThrow();
    await expect.poll(() => upstream.open()).toBe(0);
    const db = new DatabaseSync(join(folder, 'venom.db'));
    expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    db.close();
  }, 60_000);
});

// A disk of its own is made where this process may: as root with mount, else in a namespace it cannot see into.
const canMount = process.platform === 'linux' && process.getuid?.() === 0 && mountsWork();

function mountsWork(): boolean {
  const place = mkdtempSync(join(tmpdir(), 'venom-mount-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', place]).status === 0;
  if (mounted) execFileSync('umount', [place]);
  else console.log('no full disk is tried: mount is not allowed here');
  rmSync(place, { recursive: true, force: true });
  return mounted;
}

describe.skipIf(!canMount)('a full disk', () => {
  it('answers 507, still reads, stays alive, and goes on without a restart when there is room again', async () => {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk]);
    try {
      const client = await start({}, disk);
      const ask = async (content: string) => {
        const response = await send('/api/v1/llm/simple/stream', { content, session_id: 'disk' });
        return {
          status: response.status,
          text: response.ok ? textOf(await readEvents(response)) : await response.text(),
        };
      };
      expect(await ask('Before')).toEqual({ status: 200, text: 'Hello world' });
      const task = await client.submit({ content: 'help' });
      expect((await client.ended(task)).status).toBe('COMPLETED');
      const { bavail, bsize } = statfsSync(disk);
      writeFileSync(join(disk, 'ballast'), Buffer.alloc(bavail * bsize - 4_096));
      // Room that the log had reserved is used up first.
      let refused = await ask('x'.repeat(40_000));
      for (let tries = 0; refused.status === 200 && tries < 200; tries += 1) refused = await ask('x'.repeat(40_000));
      expect(refused.status, refused.text).toBe(507);
      expect(JSON.parse(refused.text)).toMatchObject({ code: 'insufficient_storage', detail: expect.any(String) });
      const submitted = await client.post('/tasks', { content: 'y'.repeat(40_000) });
      expect([submitted.status, ((await submitted.json()) as { code: string }).code]).toEqual([
        507,
        'insufficient_storage',
      ]);
      // For longer than the background takes to write its traces and counters.
      await wait(2_500);
      const { history } = await client.get<{ history: { content: string }[] }>('/memory/session/disk');
      expect(history.slice(0, 2).map(({ content }) => content)).toEqual(['Before', 'Hello world']);
      expect((await client.task(task)).status).toBe('COMPLETED');
      for (const path of ['/history/requests', '/sessions', '/system/status', '/queue/status'])
        expect((await fetch(`${client.url}${path}`)).status, path).toBe(200);
      expect(venom.child.exitCode).toBeNull();
      rmSync(join(disk, 'ballast'));
      await expect.poll(() => ask('After'), { timeout: 10_000 }).toEqual({ status: 200, text: 'Hello world' });
      expect((await client.run({ content: 'help' })).status).toBe('COMPLETED');
      expect((await venom.stop()).code).toBe(0);
      const again = await start({}, disk);
      const { history: kept } = await again.get<{ history: { content: string }[] }>('/memory/session/disk');
      expect(kept.slice(-2).map(({ content }) => content)).toEqual(['After', 'Hello world']);
      await venom.stop();
    } finally {
      if (venom.child.exitCode === null && venom.child.signalCode === null) await venom.kill();
      execFileSync('umount', ['-l', disk]);
    }
  }, 120_000);
});

describe('readers that hardly read', () => {
  it('cost little memory and keep nobody else waiting, and when they leave the engine is free', async () => {
    await start();
    // Writes without end, as fast as it is taken.
    let offered = 0;
    const piece = chunk({ content: 'x'.repeat(20_000) });
    upstream.behaviour = async (_body, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      while (!response.destroyed) {
        offered += piece.length;
        if (!response.write(piece)) await room(response);
      }
    };
    const open = (path: string, body: object): Socket => {
      const text = JSON.stringify(body);
      const socket = connect(Number(new URL(venom.url).port), '127.0.0.1');
      socket.on('error', () => {});
      socket.write(
        `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
      );
      // Reads one byte a second and no more.
      socket.pause();
      return socket;
    };
    const before = rssMb();
    const messages = [{ role: 'user', content: 'Much' }];
    const slow = Array.from({ length: READERS }, (_, n) =>
      n % 2 === 0
        ? open('/v1/chat/completions', { model: 'fake-model', stream: true, messages })
        : open('/v1/messages', { model: 'fake-model', max_tokens: 9, stream: true, messages }),
    );
    const reading = setInterval(() => {
      for (const socket of slow) socket.read(1);
    }, 1_000);
    await expect.poll(() => upstream.open(), { timeout: 30_000 }).toBe(READERS);
    // Once every buffer on the way is full, the engine has to wait.
    let former = -1;
    await expect
      .poll(
        () => {
          const grown = offered - former;
          former = offered;
          return grown;
        },
        { timeout: 30_000, interval: 1_000 },
      )
      .toBe(0);
    const grown = rssMb() - before;
    upstream.behaviour = streams(['fast']);
    const answer = await send('/api/v1/llm/simple/stream', { content: 'Hi' });
    expect(textOf(await readEvents(answer))).toBe('fast');
    clearInterval(reading);
    for (const socket of slow) socket.destroy();
    await expect.poll(() => upstream.open(), { timeout: 5_000 }).toBe(0);
    console.log(
      `${READERS} slow readers: ${(offered / 1e6).toFixed(0)} MB taken in, ${grown.toFixed(0)} MB more in memory`,
    );
    expect(offered / READERS).toBeLessThan(30_000_000);
    expect(grown).toBeLessThan(200);
  }, 90_000);
});

describe(`${TASKS} tasks at once`, () => {
  it('are accepted or refused with a code, in bounded memory, and the accepted ones are all there', async () => {
    const client = await start({ MAX_QUEUED_TASKS: String(PLACES) });
    await client.post('/queue/pause');
    const before = rssMb();
    const seen = new Map<string, number>();
    const accepted: string[] = [];
    let next = 0;
    const submit = async () => {
      while (next < TASKS) {
        next += 1;
        const response = await client.post('/tasks', { content: `Question ${next}` });
        const body = (await response.json()) as { task_id?: string; code?: string };
        const outcome = `${response.status} ${body.code ?? ''}`;
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
        if (body.task_id) accepted.push(body.task_id);
      }
    };
    await Promise.all(Array.from({ length: 32 }, submit));
    expect([...seen].sort()).toEqual([
      ['201 ', PLACES],
      ['503 queue_full', TASKS - PLACES],
    ]);
    console.log(`${TASKS} tasks: ${(rssMb() - before).toFixed(0)} MB more`);
    expect(rssMb() - before).toBeLessThan(200);
    expect(await client.get('/queue/status')).toMatchObject({ paused: true, pending: PLACES, active: 0 });
    expect(new Set(accepted).size).toBe(PLACES);
    expect(await (await client.post('/queue/purge')).json()).toMatchObject({ success: true, removed: PLACES });
    expect((await client.task(accepted[PLACES / 2] as string)).status).toBe('FAILED');
  }, 120_000);
});

describe('an idempotency key', () => {
  it('gets the first turn again after a kill in the middle of it, and asks no engine', async () => {
    const client = await start();
    upstream.behaviour = streams(LONG, 10);
    const headers = {
      'content-type': 'application/json',
      'idempotency-key': createHash('sha256').update(folder).digest('hex'),
    };
    const ask = () =>
      fetch(`${client.url}/llm/simple/stream`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ content: 'Hi', session_id: 's' }),
      });
    const first = await ask();
    const reading = readEvents(first).catch(() => {});
    await wait(700);
    await venom.kill();
    await reading;
    const again = await start();
    const asked = upstream.requests.length;
    const replayed = await fetch(`${again.url}/llm/simple/stream`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ content: 'Hi', session_id: 's' }),
    });
    expect(replayed.headers.get('x-request-id')).toBe(first.headers.get('x-request-id'));
    const events = await readEvents(replayed);
    expect(textOf(events)).toMatch(/^(x )+$/);
    expect(events.at(-1)).toMatchObject({ event: 'error', data: { code: 'interrupted' } });
    expect(upstream.requests).toHaveLength(asked);
    expect(await again.get('/memory/session/s')).toMatchObject({ count: 2 });
  }, 30_000);
});
