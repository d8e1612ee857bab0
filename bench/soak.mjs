// Mixed load for a long time on the built server, and how its memory grows: Direct turns, tasks, the compatible APIs,
// searches, readers that hardly read and clients that leave. `npm run soak` runs 20 minutes, `-- --minutes 1` the short form.
// Fails when memory grows faster than the limit after a warm-up, where the run was long enough to tell.
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { residentMegabytes, startUpstream, startVenom } from './processes.mjs';

const LIMIT_MB_PER_MINUTE = 1;
/** Below this, caches that fill and a heap that is not yet asked to be small look like a leak. */
const TELLING_MINUTES = 20;
const SAMPLE_MS = 2_000;
const WARM_UP_SHARE = 1 / 2;
const PAUSE_MS = 20;

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '20' } } });
const minutes = Number(values.minutes);
const folder = mkdtempSync(join(tmpdir(), 'venom-soak-'));
const upstream = await startUpstream(20, 5);
const venom = await startVenom({
  VENOM_DATA_DIR: folder,
  LLM_LOCAL_ENDPOINT: `http://127.0.0.1:${upstream.port}/v1`,
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

async function worker(name) {
  for (let n = 0; performance.now() < until; n += 1) {
    try {
      await WORK[name](n);
      counts[name] = (counts[name] ?? 0) + 1;
    } catch (error) {
      failures += 1;
      if (failures <= 5) console.log(`${name}: ${error.message}`);
    }
    await pause(PAUSE_MS);
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

const samples = [];
const startedAt = performance.now();
const sampling = setInterval(() => {
  samples.push({ minute: (performance.now() - startedAt) / 60_000, mb: residentMegabytes(venom.pid) });
}, SAMPLE_MS);

await Promise.all([...Object.keys(WORK).map(worker), ...Array.from({ length: 4 }, slowReader)]);
clearInterval(sampling);
await venom.stop();
await upstream.stop();
rmSync(folder, { recursive: true, force: true });

const steady = samples.slice(Math.floor(samples.length * WARM_UP_SHARE));
const slope = slopeOf(steady);
for (const { minute, mb } of samples.filter((_, index) => index % Math.ceil(samples.length / 12) === 0))
  console.log(`${minute.toFixed(1).padStart(6)} min ${mb.toFixed(0).padStart(5)} MB`);
const done = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
console.log(`${minutes} min: ${done.join(', ')}; ${failures} failed`);
console.log(
  `memory: ${samples[0].mb.toFixed(0)} MB at first, ${steady[0].mb.toFixed(0)} warm, ${steady.at(-1).mb.toFixed(0)} at last, ` +
    `${slope.toFixed(2)} MB/min after the warm-up (limit ${LIMIT_MB_PER_MINUTE} from ${TELLING_MINUTES} min on)`,
);
if (failures > 0 || (minutes >= TELLING_MINUTES && slope >= LIMIT_MB_PER_MINUTE)) process.exitCode = 1;

/** Least squares. */
function slopeOf(points) {
  const mean = (pick) => points.reduce((sum, point) => sum + pick(point), 0) / points.length;
  const [x, y] = [mean(({ minute }) => minute), mean(({ mb }) => mb)];
  const over = points.reduce((sum, { minute, mb }) => sum + (minute - x) * (mb - y), 0);
  const under = points.reduce((sum, { minute }) => sum + (minute - x) ** 2, 0);
  return over / under;
}
