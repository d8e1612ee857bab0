// Many answers at once: what 200 open streams add to the pauses between tokens, and the memory each of them takes.
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { percentile } from './client.mjs';
import { residentMegabytes, startUpstream, startVenom } from './processes.mjs';

const STREAMS = 200;
const TOKENS = 60;
/** About the pace of a model of 7 billion parameters on a good machine. */
const PACE_MS = 40;
const agent = new Agent({ keepAlive: true, maxSockets: STREAMS });

export async function benchStreams(folder, report) {
  const upstream = await startUpstream(TOKENS, PACE_MS);
  const venom = await startVenom({
    VENOM_DATA_DIR: join(folder, 'streams'),
    LLM_LOCAL_ENDPOINT: `http://127.0.0.1:${upstream.port}/v1`,
    RATE_LIMIT_BURST: '0',
  });
  const direct = (number) => ({
    port: venom.port,
    path: '/api/v1/llm/simple/stream',
    body: { content: 'Hello', model: 'bench', session_id: `streams-${number}` },
  });
  const alone = () => ({
    port: upstream.port,
    path: '/v1/chat/completions',
    body: { model: 'bench', stream: true, messages: [{ role: 'user', content: 'Hello' }] },
  });
  // The first rounds make the connections, and let the engine's heap grow to what this load needs.
  for (let round = 0; round < 3; round += 1) await gaps(direct);
  const before = residentMegabytes(venom.pid);
  const samples = [];
  const sampler = setInterval(() => samples.push(residentMegabytes(venom.pid)), (TOKENS * PACE_MS) / 8);
  const through = await gaps(direct);
  clearInterval(sampler);
  const own = await gaps(alone);
  const added = percentile(through, 0.99) - percentile(own, 0.99);
  report(
    `pause between tokens that ${STREAMS} streams of Direct mode add, p99`,
    `${added.toFixed(1)} ms (${percentile(own, 0.99).toFixed(1)} ms alone)`,
    '20 ms',
    added < 20,
  );
  const each = Math.max(0, ((percentile(samples, 0.5) - before) * 1_024) / STREAMS);
  report(`memory of one of ${STREAMS} open streams`, `${each.toFixed(0)} kB`, '60 kB', each < 60);
  await venom.stop();
  await upstream.stop();
}

/** Milliseconds between one piece of text and the next, of all streams. */
async function gaps(call) {
  const all = [];
  await Promise.all(
    Array.from({ length: STREAMS }, async (_, number) => {
      // Not all in the same millisecond, as people are not.
      await new Promise((resolve) => setTimeout(resolve, number * 5));
      all.push(...(await gapsOf(call(number))));
    }),
  );
  return all;
}

function gapsOf({ port, path, body }) {
  const text = JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const asked = request({ agent, host: '127.0.0.1', port, path, method: 'POST', headers }, (response) => {
      if (response.statusCode !== 200) return reject(new Error(`HTTP ${response.statusCode}`));
      const found = [];
      let formerAt;
      response.on('data', (bytes) => {
        if (!bytes.includes('token')) return;
        const now = performance.now();
        if (formerAt !== undefined) found.push(now - formerAt);
        formerAt = now;
      });
      response.on('end', () => resolve(found));
      response.on('error', reject);
    });
    asked.on('error', reject);
    asked.end(text);
  });
}
