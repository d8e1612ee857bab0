// Mixed load for a long time on the built server, and how its memory grows: Direct turns, tasks, the compatible APIs,
// searches, readers that hardly read and clients that leave. `npm run soak` runs 20 minutes at 10 pieces of work a second;
// `-- --minutes 1` is the short form, `-- --rate 0` as much as the machine takes.
//
// Resident memory and the heap after full collections are both measured, from inside the server: the first is what the
// machine gives away, the second tells a leak from garbage that V8 has not yet had a reason to collect. Fails when one of
// them grows faster than the limit after the warm-up, where the run was long enough to tell.
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { collectedMemory, memorySamples, probed, startUpstream, startVenom } from './processes.mjs';

const LIMIT_MB_PER_MINUTE = 1;
/** Below this, caches that fill and a heap that grows to what the load needs look like a leak. */
const TELLING_MINUTES = 20;
/** Of the run; the slopes are of what follows. */
const WARM_UP_SHARE = 1 / 3;
const PAUSE_MS = 20;
const ROWS = 12;
const LEFT_MS = 5_000;

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '20' }, rate: { type: 'string', default: '10' } },
});
const minutes = Number(values.minutes);
const rate = Number(values.rate);
const folder = mkdtempSync(join(tmpdir(), 'venom-soak-'));
const samplesFile = join(folder, 'memory.jsonl');
const upstream = await startUpstream(20, 5);
const venom = await startVenom({
  VENOM_DATA_DIR: folder,
  LLM_LOCAL_ENDPOINT: `http://127.0.0.1:${upstream.port}/v1`,
  ...probed(samplesFile),
});
const until = performance.now() + minutes * 60_000;
const counts = {};
let failures = 0;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const send = (path, body) =>
  fetch(venom.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
const read = async (path, body) => {
  const response = await send(path, body);
  await response.text();
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
};
const messages = [{ role: 'user', content: 'A question of everyday length about harbours and ships' }];
const { data } = await (await fetch(`${venom.url}/v1/models`)).json();
const model = data[0].id;

const WORK = {
  direct: (n) => read('/api/v1/llm/simple/stream', { content: `Question ${n}`, session_id: `soak-${n % 50}` }),
  task: async (n) => {
    const response = await send('/api/v1/tasks', { content: `Tell me about ${n}`, session_id: `soak-task-${n % 50}` });
    const { task_id: id } = await response.json();
    await (await fetch(`${venom.url}/api/v1/tasks/${id}/stream`, { signal: AbortSignal.timeout(30_000) })).text();
  },
  openAi: () => read('/v1/chat/completions', { model, stream: true, messages }),
  anthropic: () => read('/v1/messages', { model, max_tokens: 50, stream: true, messages }),
  ollama: () => read('/api/chat', { model, messages }),
  pages: async () => {
    for (const path of ['/history/requests?limit=20', '/sessions', '/models', '/system/status', '/queue/status'])
      await (await fetch(`${venom.url}/api/v1${path}`)).text();
  },
  leaves: async (n) => {
    const abort = new AbortController();
    const body = JSON.stringify({ content: `Left ${n}` });
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${venom.url}/api/v1/llm/simple/stream`, {
      method: 'POST',
      headers,
      body,
      signal: abort.signal,
    });
    await response.body.getReader().read();
    abort.abort();
  },
  refused: async () => void (await (await send('/api/v1/tasks', { content: 7 })).text()),
};

const kinds = Object.keys(WORK);
/** Between the beginnings of two pieces of work of one kind. */
const everyMs = rate > 0 ? (kinds.length / rate) * 1_000 : 0;

async function worker(name, index) {
  let due = performance.now() + (everyMs * index) / kinds.length;
  for (let n = 0; performance.now() < until; n += 1) {
    await pause(rate > 0 ? Math.max(0, due - performance.now()) : PAUSE_MS);
    due = Math.max(due + everyMs, performance.now());
    try {
      await WORK[name](n);
      counts[name] = (counts[name] ?? 0) + 1;
    } catch (error) {
      failures += 1;
      if (failures <= 5) console.log(`${name}: ${error.message}`);
    }
  }
}

/** Reads one byte a second for as long as it lasts, and begins again. */
async function slowReader() {
  while (performance.now() < until) {
    const body = JSON.stringify({ model, stream: true, messages });
    const socket = connect(venom.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.pause();
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    for (let second = 0; second < 10 && performance.now() < until; second += 1) {
      await pause(1_000);
      socket.read(1);
    }
    socket.destroy();
  }
}

await Promise.all([...kinds.map(worker), ...Array.from({ length: 4 }, slowReader)]);
// What is left when everybody has gone.
await pause(LEFT_MS);
const atRest = await collectedMemory(venom, samplesFile);
await venom.stop();
await upstream.stop();
const samples = memorySamples(samplesFile);
rmSync(folder, { recursive: true, force: true });

const regular = samples.filter(({ kind }) => kind === 'regular');
const collections = samples.filter(({ kind }) => kind === 'collected');
const warmFrom = regular.at(-1).minute * WARM_UP_SHARE;
const warm = (points) => points.filter(({ minute }) => minute >= warmFrom);
const mb = (value) => value.toFixed(1).padStart(7);
console.log('minute  resident  heap total  of it young  buffers  heap after collections (MB)');
for (let row = 0; row < ROWS; row += 1) {
  const from = (row / ROWS) * regular.at(-1).minute;
  const within = (points) =>
    points.filter(({ minute }) => minute >= from && minute < from + regular.at(-1).minute / ROWS);
  const shown = within(regular)[0];
  if (!shown) continue;
  const heaps = within(collections).map(({ heapUsed }) => heapUsed);
  const kept = heaps.length > 0 ? `${mb(Math.min(...heaps))} (${heaps.length} collections)` : '      - (none)';
  const { minute, rss, heapTotal, young, arrayBuffers } = shown;
  console.log(
    `${minute.toFixed(1).padStart(6)}  ${mb(rss)}     ${mb(heapTotal)}      ${mb(young)}  ${mb(arrayBuffers)}  ${kept}`,
  );
}
const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
const done = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
console.log(`${minutes} min: ${total} pieces of work (${done.join(', ')}); ${failures} failed`);
console.log(`at rest, after a full collection: resident ${mb(atRest.rss)} MB, heap ${mb(atRest.heapUsed)} MB`);

const telling = minutes >= TELLING_MINUTES;
const verdicts = [
  judged('resident memory', warm(regular), ({ rss }) => rss),
  judged('heap after full collections', warm(collections), ({ heapUsed }) => heapUsed),
];
// V8 lets that space grow to its limit and shrink again as the load comes and goes: a step in it is no leak.
const settled = slopeOf(warm(regular), ({ rss, young }) => rss - young);
console.log(`resident memory less the space for young objects: ${settled.toFixed(2)} MB/min, for comparison`);
if (failures > 0 || verdicts.includes(false)) process.exitCode = 1;

/** Prints one slope. False where it misses the limit in a run that can tell, or nothing was measured in such a run. */
function judged(what, points, pick) {
  const slope = points.length > 1 ? slopeOf(points, pick) : Number.NaN;
  const ok = slope < LIMIT_MB_PER_MINUTE;
  const verdict = telling ? (ok ? 'PASS' : 'MISS') : `no verdict below ${TELLING_MINUTES} min`;
  const figure = Number.isNaN(slope) ? 'not measured' : `${slope.toFixed(2)} MB/min`;
  console.log(`${what}: ${figure} over the last ${points.length} samples, limit ${LIMIT_MB_PER_MINUTE}: ${verdict}`);
  return ok || !telling;
}

/** Least squares, per minute. */
function slopeOf(points, pick) {
  const mean = (of) => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const x = mean(({ minute }) => minute);
  const y = mean(pick);
  const over = points.reduce((sum, point) => sum + (point.minute - x) * (pick(point) - y), 0);
  const under = points.reduce((sum, point) => sum + (point.minute - x) ** 2, 0);
  return over / under;
}
