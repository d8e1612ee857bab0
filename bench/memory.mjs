// Context of a turn in a large memory: 100,000 remembered texts, half of them for everybody, a session of 500 messages. The
// sources run as they are; vectors are made up, because the embedding model's own time is its own.
import '../scripts/typescript-hooks.mjs';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { percentile } from './client.mjs';
import { startVenom } from './processes.mjs';

const ROWS = 100_000;
const SESSIONS = 1_000;
const DIMENSIONS = 384;
const WORDS_PER_TEXT = 40;
const VOCABULARY = 30_000;
const AT_ONCE = 500;
const EMBEDDER = { id: 'bench', model: 'bench' };

/** @returns {Promise<number[]>} milliseconds of each build */
export async function contextTimes(folder, builds) {
  mkdirSync(folder, { recursive: true });
  const { SqliteStore } = await import('../src/storage/sqlite-store.ts');
  const { SqliteMemory } = await import('../src/storage/sqlite-memory.ts');
  const { SqliteSessions } = await import('../src/storage/sqlite-sessions.ts');
  const { SqliteSessionContext } = await import('../src/storage/sqlite-session-context.ts');
  const { SqliteLearning } = await import('../src/storage/sqlite-learning.ts');
  const { SessionStore } = await import('../src/chat/sessions/session-store.ts');
  const { Memory } = await import('../src/chat/memory/memory.ts');
  const { Lessons } = await import('../src/chat/learning/lessons.ts');
  const { HiddenPrompts } = await import('../src/chat/learning/hidden-prompts.ts');
  const { MemoryContextBuilder } = await import('../src/chat/context/context-builder.ts');

  const random = mulberry(42);
  const store = new SqliteStore(join(folder, 'venom.db'));
  store.widenCache();
  const repository = new SqliteMemory(store);
  const clock = { now: () => Date.now() };
  const sessions = new SessionStore(new SqliteSessions(store, 'bench', 0), clock, { publish: () => {} }, 'bench');
  await fillMemory(repository, random);
  await fillSession(sessions, random);

  const embedder = { identity: async () => EMBEDDER, embed: async (texts) => texts.map(() => vector(random)) };
  const memory = new Memory(
    { repository, embedder, clock },
    { ttlDays: 0, lessonsTtlDays: 0, minSimilarity: 0, minCoverage: 0.25, embedTimeoutMs: 150 },
  );
  const limits = { memory: 5, lessons: 3 };
  const builder = new MemoryContextBuilder(
    {
      memory,
      lessons: new Lessons(memory),
      hiddenPrompts: new HiddenPrompts(new SqliteLearning(store), clock, { review: 'auto' }),
      sessions,
      sessionContext: new SqliteSessionContext(store),
    },
    {
      learning: true,
      retrieval: { boost: false, default: limits, research: limits, knowledge: limits, complex: limits },
    },
  );
  const times = [];
  for (let build = 0; build < builds; build += 1) {
    const text = sentence(random, 15);
    const startedAt = performance.now();
    await builder.build({
      sessionId: 'session-0',
      text,
      intent: 'GENERAL_CHAT',
      language: 'en',
      budgetTokens: 8_000,
      countTokens: (counted) => Math.ceil(counted.length / 4),
      systemPrompt: 'You are a helpful assistant.',
      preferences: {},
      extra: {},
      withHistory: true,
      withMemory: true,
      signal: new AbortController().signal,
    });
    times.push(performance.now() - startedAt);
  }
  store.close();
  return times;
}

/**
 * The same memory and session with the whole server around them: from a question in Normal mode to the moment the model
 * server has it. The folder is the one `contextTimes` has filled.
 */
export async function benchNormalMode(folder, questions, report) {
  let askedAt;
  const answer = (delta, finish) =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'bench', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  const model = createServer((request, response) => {
    if (request.method === 'GET') return response.end('{"object":"list","data":[{"id":"bench"}]}');
    request.resume().on('end', () => {
      askedAt ??= performance.now();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`${answer({ content: 'Well.' }, null)}${answer({}, 'stop')}data: [DONE]\n\n`);
    });
  });
  await new Promise((resolve) => model.listen(0, '127.0.0.1', resolve));
  const venom = await startVenom({
    VENOM_DATA_DIR: folder,
    LLM_LOCAL_ENDPOINT: `http://127.0.0.1:${model.address().port}/v1`,
    RATE_LIMIT_BURST: '0',
  });
  const random = mulberry(7);
  const api = `${venom.url}/api/v1/tasks`;
  const times = [];
  for (let question = 0; question < questions; question += 1) {
    askedAt = undefined;
    const content = `Tell me a story about ${sentence(random, 12)}`;
    const startedAt = performance.now();
    const accepted = await fetch(api, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ content, session_id: 'session-0' }),
    });
    const { task_id: id } = await accepted.json();
    for (let status; status !== 'COMPLETED'; ) {
      ({ status } = await (await fetch(`${api}/${id}`)).json());
      if (status === 'FAILED') throw new Error('a task failed');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    // The first ones warm the code up.
    if (question >= 20) times.push(askedAt - startedAt);
  }
  await venom.stop();
  model.closeAllConnections();
  model.close();
  report(
    `Normal mode before the model is asked, the same memory, p50 of ${times.length}`,
    `${percentile(times, 0.5).toFixed(2)} ms (p99 ${percentile(times, 0.99).toFixed(2)} ms)`,
    '10 ms',
    percentile(times, 0.5) <= 10,
  );
}

async function fillMemory(repository, random) {
  repository.useEmbedder(EMBEDDER.id, DIMENSIONS);
  for (let from = 0; from < ROWS; from += AT_ONCE) {
    await Promise.all(
      Array.from({ length: AT_ONCE }, (_, index) => {
        const number = from + index;
        const text = sentence(random, WORDS_PER_TEXT);
        const scope =
          number % 2 === 0
            ? { kind: 'global' }
            : { kind: 'session', sessionId: `session-${Math.floor(number / 2) % SESSIONS}` };
        const entry = {
          id: `memory-${number}`,
          scope,
          kind: 'fact',
          origin: 'user',
          text,
          source: 'bench',
          labels: [],
        };
        const rest = { pinned: false, collection: 'default', category: null, topic: null, userId: null };
        const ends = { requestId: null, details: null, createdAt: number, expiresAt: null };
        return repository.add({ ...entry, ...rest, ...ends }, [{ text, page: null, start: 0 }], number);
      }),
    );
    const waiting = repository.withoutVector(AT_ONCE);
    await repository.saveVectors(
      EMBEDDER.id,
      waiting.map(({ chunkId }) => ({ chunkId, vector: vector(random) })),
    );
  }
}

async function fillSession(sessions, random) {
  for (let turn = 0; turn < 250; turn += 1) {
    const requestId = `request-${turn}`;
    const userText = sentence(random, 20);
    await sessions.beginTurn({ sessionId: 'session-0', requestId, userText, model: 'bench', idempotencyKey: null });
    const text = sentence(random, 100);
    await sessions.endTurn('session-0', { requestId, text, status: 'complete', error: null, usage: null });
  }
}

/** Words as rare and as common as in a language. */
function sentence(random, words) {
  return Array.from({ length: words }, () => `w${Math.floor(VOCABULARY ** random()).toString(36)}`).join(' ');
}

const vector = (random) => Array.from({ length: DIMENSIONS }, () => random() - 0.5);

/** The same numbers in every run. */
function mulberry(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
