// An inference process without a model: it speaks the protocol of src/runtimes/llama-cpp/worker-protocol.ts, and misbehaves
// as the name of its file says. `killed…` dies once while loading, `mortal…` always, `refused…` is no model.
import { existsSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';

const TOKEN_MS = 4;
const stopped = new Set();
let threads = 0;

process.on('message', async (message) => {
  if (message.type === 'load') load(message);
  else if (message.type === 'cancel') stopped.add(message.id);
  else if (message.type === 'threads') threads = message.limit;
  else if (message.type === 'generate') await generate(message);
  else if (message.type === 'embed')
    process.send({ type: 'vectors', id: message.id, vectors: message.inputs.map(() => [1, 0]), tokens: 1 });
});
process.on('disconnect', () => process.exit(0));

function load({ path, contextLength }) {
  const name = basename(path);
  const died = `${path}.died`;
  if (name.startsWith('mortal') || (name.startsWith('killed') && !existsSync(died))) {
    writeFileSync(died, '');
    process.kill(process.pid, name.startsWith('mortal') ? 'SIGTERM' : 'SIGKILL');
    return;
  }
  if (name.startsWith('refused')) {
    process.send({ type: 'failed', id: null, code: 'internal', message: 'it is damaged' });
    return;
  }
  const figures = {
    threads: 1,
    gpu: null,
    engine: 'stand-in 1',
    callFamily: 'generic',
    tokensPerSecond: 100,
    loadMs: 1,
    templateProblem: null,
  };
  setTimeout(() => process.send({ type: 'loaded', contextLength, ...figures }), 10);
}

/** Says as many words as the question asks for, or dies, or tells how many threads it was left. */
async function generate({ id, messages, tools }) {
  if (tools) return callEach(id, tools);
  const question = messages.at(-1).text;
  if (question === 'die') process.kill(process.pid, 'SIGKILL');
  const words = Number(question) || 3;
  for (let word = 0; word < words && !stopped.has(id); word += 1) {
    await new Promise((resolve) => setTimeout(resolve, TOKEN_MS));
    process.send({ type: 'text', id, text: question === 'threads' ? `${threads} ` : 'word ' });
  }
  process.send({
    type: 'end',
    id,
    finish: 'stop',
    promptTokens: 1,
    cachedTokens: 0,
    completionTokens: words,
    thoughtTokens: 0,
  });
}

/** Calls every tool it was offered. */
function callEach(id, { tools }) {
  process.send({ type: 'text', id, text: 'So: ' });
  for (const { name } of tools) {
    process.send({ type: 'call-start', id, name });
    for (const text of ['{"a":', ' 1}']) process.send({ type: 'call-input', id, text });
    process.send({ type: 'call-end', id, name, input: '{"a": 1}' });
  }
  process.send({
    type: 'end',
    id,
    finish: 'tool-calls',
    promptTokens: 1,
    cachedTokens: 0,
    completionTokens: 9,
    thoughtTokens: 0,
  });
}
