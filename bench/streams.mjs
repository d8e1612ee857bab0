// Many answers at once: what 200 open streams add to the pauses between tokens, and the memory each of them takes.
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { percentile } from './client.mjs';
import { collectedMemory, probed, startUpstream, startVenom } from './processes.mjs';

const STREAMS = 200;
const TOKENS = 60;
/** About the pace of a model of 7 billion parameters on a good machine. */
const PACE_MS = 40;
const APART_MS = 5;
const CLOSED_MS = 500;
/** Of an answer, when the last stream has written so much: the first has not ended yet. */
const OPEN_SHARE = 0.3;
const live = ({ heapUsed, external }) => heapUsed + external;
const agent = new Agent({ keepAlive: true, maxSockets: STREAMS });

export async function benchStreams(folder, report) {
  const upstream = await startUpstream(TOKENS, PACE_MS);
  const settings = { LLM_LOCAL_ENDPOINT: `http://127.0.0.1:${upstream.port}/v1`, RATE_LIMIT_BURST: '0' };
  await pauses(upstream, { VENOM_DATA_DIR: join(folder, 'streams'), ...settings }, report);
  await memory(join(folder, 'streams-memory.jsonl'), { VENOM_DATA_DIR: join(folder, 'streams'), ...settings }, report);
  await upstream.stop();
}

const direct = (venom) => (number) => ({
  port: venom.port,
  path: '/api/v1/llm/simple/stream',
  body: { content: 'Hello', model: 'bench', session_id: `streams-${number}` },
});

async function pauses(upstream, settings, report) {
  const venom = await startVenom(settings);
  const alone = () => ({
    port: upstream.port,
    path: '/v1/chat/completions',
    body: { model: 'bench', stream: true, messages: [{ role: 'user', content: 'Hello' }] },
  });
  // The first rounds make the connections, and let the engine's heap grow to what this load needs.
  for (let round = 0; round < 3; round += 1) await gaps(direct(venom));
  const through = await gaps(direct(venom));
  const own = await gaps(alone);
  const added = percentile(through, 0.99) - percentile(own, 0.99);
  report(
    `pause between tokens that ${STREAMS} streams of Direct mode add, p99`,
    `${added.toFixed(1)} ms (${percentile(own, 0.99).toFixed(1)} ms alone)`,
    '20 ms',
    added < 20,
  );
  await venom.stop();
}

/**
 * Of what is held for a stream. Resident memory says nothing of it: once the heap has grown, whatever is open fits into it.
 * On a server of its own, because the collections that are asked for would be pauses.
 */
async function memory(samples, settings, report) {
  const venom = await startVenom({ ...settings, ...probed(samples) });
  await gaps(direct(venom));
  // The clients' connections belong to their streams.
  agent.destroy();
  await new Promise((resolve) => setTimeout(resolve, CLOSED_MS));
  const before = live(await collectedMemory(venom, samples));
  const open = gaps(direct(venom));
  await new Promise((resolve) => setTimeout(resolve, STREAMS * APART_MS + TOKENS * PACE_MS * OPEN_SHARE));
  const during = live(await collectedMemory(venom, samples));
  await open;
  const each = ((during - before) * 1_024) / STREAMS;
  report(
    `memory of one of ${STREAMS} open streams, heap and buffers after a collection`,
    `${each.toFixed(0)} kB`,
    '60 kB',
    each < 60,
  );
  await venom.stop();
}

/** Milliseconds between one piece of text and the next, of all streams. */
async function gaps(call) {
  const all = [];
  await Promise.all(
    Array.from({ length: STREAMS }, async (_, number) => {
      // Not all in the same millisecond, as people are not.
      await new Promise((resolve) => setTimeout(resolve, number * APART_MS));
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
