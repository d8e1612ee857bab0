// Memory on a real embedding model, beside a real chat model. Needs VENOM_TEST_EMBEDDING_MODEL and VENOM_TEST_MODEL, the paths
// of their files, and a build.
import { copyFileSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEvents, startServer, type TestServer, textOf } from '../api/server.js';

const embedding = process.env['VENOM_TEST_EMBEDDING_MODEL'] ?? '';
const chat = process.env['VENOM_TEST_MODEL'] ?? '';

describe.skipIf(embedding === '' || chat === '')('memory with all-MiniLM-L6-v2', () => {
  let server: TestServer;
  beforeAll(async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'venom-minilm-'));
    mkdirSync(join(dataDir, 'models'));
    copyFileSync(embedding, join(dataDir, 'models', 'all-minilm-l6-v2.f16.gguf'));
    copyFileSync(chat, join(dataDir, 'models', 'chat.gguf'));
    server = await startServer({ MEMORY_EMBED_TIMEOUT_MS: '20000' }, dataDir);
  });
  afterAll(() => server.close());

  const call = async (path: string, body?: unknown) => {
    const response = await fetch(`${server.url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return response.json();
  };

  it("gives the vectors the model's authors published", async () => {
    const { data } = await call('/v1/embeddings', {
      model: 'all-minilm-l6-v2.f16',
      input: ['The weather is lovely today.', "It's so sunny outside!", 'He drove to the stadium.'],
    });
    const [weather, sunny, stadium] = data.map(({ embedding: vector }: { embedding: number[] }) => vector);
    expect(cosine(weather, sunny)).toBeCloseTo(0.666, 2);
    expect(cosine(weather, stadium)).toBeCloseTo(0.1046, 2);
  });

  it('makes the same vector of a text and of its tokens, and knows tokens that are none', async () => {
    const model = 'all-minilm-l6-v2.f16';
    const [hello, world] = [7_592, 2_088];
    const [text, tokens] = await Promise.all(
      ['hello world', [hello, world]].map(async (input) => call('/v1/embeddings', { model, input })),
    );
    expect(cosine(text.data[0].embedding, tokens.data[0].embedding)).toBeCloseTo(1, 5);
    expect(tokens.usage).toEqual(text.usage);
    expect(await call('/v1/embeddings', { model, input: [[hello], [99_999]] })).toMatchObject({
      error: { code: 'invalid_input', message: expect.stringContaining('Text 2 holds token 99999') },
    });
    expect(await call('/v1/embeddings', { model, input: 'hello', dimensions: 256 })).toMatchObject({
      error: { code: 'unsupported' },
    });
  });

  it('says what is too long for it, and cuts it where the client wants that', async () => {
    const model = 'all-minilm-l6-v2.f16';
    const long = 'word '.repeat(5_000);
    expect(await call('/v1/embeddings', { model, input: ['short', long] })).toMatchObject({
      error: { code: 'invalid_input', message: expect.stringMatching(/^Text 2 has 5000 tokens; .* reads \d+\.$/) },
    });
    expect(await call('/api/embed', { model, input: long, truncate: false })).toMatchObject({
      error: expect.stringContaining('5000 tokens'),
    });
    const { embeddings } = await call('/api/embed', { model, input: long });
    expect(embeddings[0]).toHaveLength(384);
  });

  it('finds by meaning what has no word in common, and nothing where nothing fits', async () => {
    for (const text of [
      'My physician told me to avoid peanuts.',
      'The automobile is parked behind the house.',
      'Rent is due on the first of every month.',
    ])
      await call('/api/v1/memory/ingest', { text });
    await expect.poll(async () => (await call('/api/v1/memory/status')).waiting, { timeout: 60_000 }).toBe(0);
    const search = (query: string) => call('/api/v1/memory/search', { query, limit: 1 });
    expect(await search('Where did I leave my car?')).toMatchObject({
      degraded: null,
      results: [{ text: 'The automobile is parked behind the house.' }],
    });
    expect(await search('doctor allergy nuts')).toMatchObject({
      results: [{ text: 'My physician told me to avoid peanuts.' }],
    });
    expect(await search('quantum chromodynamics lecture')).toMatchObject({ count: 0 });
  });

  it('leaves the chat model in its place', async () => {
    const ask = async () => {
      const response = await fetch(`${server.url}/api/v1/llm/simple/stream`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          content: 'What is the capital of France?',
          model: 'chat',
          temperature: 0,
          max_tokens: 12,
        }),
      });
      return textOf(await readEvents(response));
    };
    expect(await ask()).toContain('Paris');
    await call('/api/v1/memory/search', { query: 'a question nobody asked before' });
    const { models } = await call('/api/v1/models/loaded');
    expect(models.map(({ name }: { name: string }) => name)).toContain('chat');
    expect(await ask()).toContain('Paris');
  });
});

function cosine(a: number[], b: number[]): number {
  const dot = a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
  return dot / (Math.hypot(...a) * Math.hypot(...b));
}
