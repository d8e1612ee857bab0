import { deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { docx, pdf, zip } from '../stand-ins/documents.js';
import { type FakeUpstream, startFakeUpstream } from './fake-upstream.js';
import { readEvents, startServer, type TestServer } from './server.js';

let upstream: FakeUpstream;
let server: TestServer;
beforeEach(async () => {
  upstream = await startFakeUpstream();
  server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url });
});
afterEach(async () => {
  await server.close();
  await upstream.close();
});

const call = (path: string, method = 'GET', body?: unknown) =>
  fetch(`${server.url}/api/v1${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const json = async (path: string, method = 'GET', body?: unknown) => (await call(path, method, body)).json();

async function direct(content: string, sessionId: string) {
  const response = await call('/llm/simple/stream', 'POST', { content, session_id: sessionId });
  await readEvents(response);
  return response.headers.get('x-request-id') ?? '';
}

describe('memory over HTTP', () => {
  it('remembers, finds, lists, exports and deletes', async () => {
    const response = await call('/memory/ingest', 'POST', { text: 'The lighthouse is painted red.', topic: 'coast' });
    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({ status: 'success', chunks_count: 1 });
    const found = await json('/memory/search', 'POST', { query: 'lighthouse colour painted' });
    expect(found).toMatchObject({
      status: 'success',
      count: 1,
      degraded: 'lexical_only',
      results: [{ text: 'The lighthouse is painted red.', metadata: { topic: 'coast', scope: 'global' } }],
    });
    expect(found.results[0].score).toBeGreaterThanOrEqual(0);
    expect(found.results[0].score).toBeLessThan(1);
    const { memories, total } = await json('/memory?scope=global');
    expect(total).toBe(1);
    const lines = (await (await call('/memory/export')).text()).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).memory_id)).toEqual([memories[0].memory_id]);
    expect((await call(`/memory/entries/${memories[0].memory_id}`, 'DELETE')).status).toBe(200);
    const gone = await call(`/memory/entries/${memories[0].memory_id}`, 'DELETE');
    expect([gone.status, (await gone.json()).code]).toEqual([404, 'memory_not_found']);
    expect(await json('/memory/search', 'POST', { query: 'lighthouse' })).toMatchObject({ count: 0 });
  });

  it('takes what the client of old hands over after each answer, as the words of a model', async () => {
    const answer = {
      text: 'The moon is made of cheese.',
      category: 'assistant',
      session_id: 's-1',
      user_id: 'user_default',
      pinned: true,
      memory_type: 'fact',
      scope: 'session',
      topic: 'chat',
      timestamp: new Date().toISOString(),
    };
    expect((await call('/memory/ingest', 'POST', answer)).status).toBe(201);
    const { memories } = await json('/memory?session_id=s-1');
    expect(memories).toMatchObject([{ origin: 'assistant', pinned: false, scope: 'session', session_id: 's-1' }]);
    expect(await json('/memory/search', 'POST', { query: 'moon cheese' })).toMatchObject({ count: 0 });
    expect(await json('/memory/search', 'POST', { query: 'moon cheese', session_id: 's-2' })).toMatchObject({
      count: 0,
    });
    expect(await json('/memory/search', 'POST', { query: 'moon cheese', session_id: 's-1' })).toMatchObject({
      count: 1,
    });
    expect((await call('/memory/ingest', 'POST', { text: '  ' })).status).toBe(400);
    expect((await call('/memory/ingest', 'POST', { text: 'x', scope: 'session' })).status).toBe(400);
  });

  it('names a session after its first question, and leaves a name that a person gave', async () => {
    await direct('Hello! Please explain the tides to me', 's-1');
    await expect.poll(async () => (await json('/sessions/s-1')).title).toBe('Explain the tides to me');
    await call('/sessions/s-1', 'PATCH', { title: 'Mine' });
    await direct('Another thing', 's-1');
    expect((await json('/sessions/s-1')).title).toBe('Mine');
  });

  it('clears a session with everything that was made from it, and counts the vectors', async () => {
    await direct('My gate code is 4711', 's-1');
    await server.close({ keepData: true });
    // The fake server now lists a model that makes vectors, too.
    upstream.models.push({ id: 'embed-small' });
    server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url, EMBEDDING_MODEL: 'embed-small' }, server.dataDir);
    await call('/memory/ingest', 'POST', { text: 'The gate code is 4711', session_id: 's-1', labels: ['private'] });
    await call('/memory/ingest', 'POST', { text: 'For everybody' });
    await expect.poll(async () => (await json('/memory/status')).vectors, { timeout: 10_000 }).toBe(2);
    expect(await json('/memory/status')).toMatchObject({ embedding_model: 'embed-small', degraded: null, waiting: 0 });
    expect(await json('/memory/session/s-1', 'DELETE')).toMatchObject({
      status: 'success',
      session_id: 's-1',
      deleted_vectors: 1,
      cleared_tasks: 0,
    });
    expect(await json('/memory/session/s-1')).toMatchObject({ history: [], count: 0, summary: null });
    expect(await json('/memory?session_id=s-1')).toMatchObject({ total: 0 });
    expect(await json('/memory/global', 'DELETE')).toMatchObject({ deleted_vectors: 1, deleted_entries: 1 });
  }, 20_000);

  it('keeps pre-production data', async () => {
    await server.close();
    server = await startServer({ ENVIRONMENT_ROLE: 'preprod' });
    for (const path of ['/memory/global', '/memory/session/s-1']) expect((await call(path, 'DELETE')).status).toBe(403);
  });
});

describe('knowledge from files', () => {
  const upload = (name: string, body: Uint8Array | string, query = '') =>
    fetch(`${server.url}/api/v1/knowledge/files?name=${encodeURIComponent(name)}${query}`, {
      method: 'POST',
      body: body as BodyInit,
      headers: { 'content-type': 'application/octet-stream' },
    });

  it.each([
    ['notes.md', '# Lanterns\n\nThe lantern burns paraffin oil.', null],
    [
      'page.html',
      '<html><head><title>Lamps</title><script>evil()</script></head><body><p>The lantern burns <b>paraffin</b> oil.</p></body></html>',
      null,
    ],
    ['letter.docx', docx(['Dear keeper,', 'the lantern burns paraffin oil.']), null],
    ['manual.pdf', pdf(['Front page', 'The lantern burns paraffin oil.']), 2],
  ])(
    '%s is read, found and cited',
    async (name, bytes, page) => {
      const response = await upload(name, bytes);
      expect(response.status).toBe(201);
      const { file } = await response.json();
      expect(file).toMatchObject({ name, scope: 'global', pages: page });
      const { results } = await json('/memory/search', 'POST', { query: 'paraffin lantern' });
      expect(results).toMatchObject([
        {
          text: expect.stringMatching(/lantern burns paraffin oil/),
          metadata: { source: name, page, type: 'knowledge' },
        },
      ]);
      expect(results[0].text).not.toContain('evil');
      expect((await upload(name, bytes)).status).toBe(200);
      expect(await json('/knowledge/files')).toMatchObject({ count: 1, total: 1 });
      const { chunks } = await json(`/knowledge/files/${file.file_id}`);
      expect(chunks.length).toBe(file.chunks);
      expect(JSON.parse(await (await call('/memory/export')).text())).toMatchObject({
        memory_id: file.file_id,
        chunks,
      });
      expect(await json(`/knowledge/files/${file.file_id}`, 'DELETE')).toMatchObject({ status: 'success' });
      expect(await json('/memory/search', 'POST', { query: 'paraffin lantern' })).toMatchObject({ count: 0 });
    },
    20_000,
  );

  it('takes a form, and keeps a file for one session', async () => {
    const form = new FormData();
    form.append('file', new Blob(['The ferry leaves at noon.'], { type: 'text/plain' }), 'ferry.txt');
    const response = await fetch(`${server.url}/api/v1/knowledge/files?session_id=s-1`, { method: 'POST', body: form });
    expect(response.status).toBe(201);
    expect(await json('/memory/search', 'POST', { query: 'ferry noon' })).toMatchObject({ count: 0 });
    expect(await json('/memory/search', 'POST', { query: 'ferry noon', session_id: 's-1' })).toMatchObject({
      count: 1,
    });
  }, 20_000);

  const bomb = () =>
    zip([
      {
        name: 'word/document.xml',
        data: deflateRawSync(Buffer.alloc(300 * 1_048_576, 32)),
        method: 8,
        size: 300 * 1_048_576,
      },
    ]);

  it.each([
    ['no.docx', () => Buffer.from('PK\u0003\u0004 nothing of a zip'), 422, 'invalid_document', 'damaged'],
    [
      'empty.docx',
      () => zip([{ name: 'other.txt', data: Buffer.from('x'), method: 0, size: 1 }]),
      422,
      'invalid_document',
      'damaged',
    ],
    ['bomb.docx', bomb, 422, 'invalid_document', 'too_large'],
    ['no.pdf', () => Buffer.from('%PDF-1.7\nnothing'), 422, 'invalid_document', 'damaged'],
    ['text.pdf', () => Buffer.from('just text'), 422, 'invalid_document', 'damaged'],
    ['blank.txt', () => Buffer.from(' \n '), 422, 'invalid_document', 'no_text'],
    ['picture.png', () => Buffer.from('\u0089PNG'), 400, 'unsupported', undefined],
    ['binary.txt', () => Buffer.from([1, 0, 2, 0, 3]), 422, 'invalid_document', 'damaged'],
  ])(
    '%s is refused with a code, and the server goes on',
    async (name, bytes, status, code, reason) => {
      const response = await upload(name, bytes());
      const answer = await response.json();
      expect([response.status, answer.code, answer.details?.reason]).toEqual([status, code, reason]);
      expect((await upload('good.txt', 'All is well.')).status).toBe(201);
    },
    30_000,
  );

  it('refuses a file beyond the limit, raw and in a form', async () => {
    await server.close();
    server = await startServer({ KNOWLEDGE_MAX_FILE_BYTES: '65536' });
    const large = 'a'.repeat(70_000);
    expect((await upload('large.txt', large)).status).toBe(413);
    const form = new FormData();
    form.append('file', new Blob([large]), 'large.txt');
    const response = await fetch(`${server.url}/api/v1/knowledge/files`, { method: 'POST', body: form });
    expect([response.status, (await response.json()).code]).toEqual([413, 'payload_too_large']);
  }, 20_000);
});

describe('feedback and learning', () => {
  it('a thumbs-up approves the pair, a thumbs-down takes it back and leaves a lesson', async () => {
    const taskId = await direct('How do I descale a kettle?', 's-1');
    expect(await json('/feedback', 'POST', { task_id: taskId, rating: 'up' })).toEqual({
      status: 'ok',
      feedback_saved: true,
      follow_up_task_id: null,
    });
    const { items } = await json('/learning/hidden-prompts');
    expect(items).toMatchObject([
      { intent: 'GENERAL_CHAT', prompt: 'How do I descale a kettle?', approved_response: 'Hello world', score: 1 },
    ]);
    const active = await json('/learning/hidden-prompts/active', 'POST', {
      prompt_hash: items[0].prompt_hash,
      actor: 'me',
    });
    expect(active).toMatchObject({ count: 1, items: [{ intent: 'GENERAL_CHAT', activated_by: 'me' }] });
    await server.close({ keepData: true });
    server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url }, server.dataDir);
    expect(await json('/learning/hidden-prompts/active?intent=GENERAL_CHAT')).toMatchObject({ count: 1 });
    expect(await json('/feedback', 'POST', { task_id: taskId, rating: 'down', comment: 'Use vinegar.' })).toMatchObject(
      {
        status: 'ok',
      },
    );
    expect(await json('/learning/hidden-prompts')).toEqual({ count: 0, items: [] });
    expect(await json('/lessons')).toMatchObject({
      count: 1,
      lessons: [{ situation: 'How do I descale a kettle?', conclusion: 'Use vinegar.', task_id: taskId }],
    });
    expect(await json('/lessons/stats')).toMatchObject({ stats: { total_lessons: 1 } });
    expect((await json('/feedback/logs')).items.map(({ rating }: { rating: string }) => rating)).toEqual([
      'down',
      'up',
    ]);
    expect(await json('/feedback/logs?rating=up&limit=9999')).toMatchObject({ count: 1 });
    expect(await json('/learning/hidden-prompts/active', 'POST', { intent: 'GENERAL_CHAT', active: false })).toEqual({
      count: 0,
      items: [],
    });
  }, 20_000);

  it('refuses what makes no sense', async () => {
    const taskId = await direct('Hi', 's-1');
    const status = async (body: object) => (await call('/feedback', 'POST', body)).status;
    expect(await status({ task_id: taskId, rating: 'sideways' })).toBe(400);
    expect(await status({ task_id: taskId, rating: 'down' })).toBe(400);
    expect(await status({ task_id: crypto.randomUUID(), rating: 'up' })).toBe(404);
    expect(await status({ task_id: 'x', rating: 'up' })).toBe(422);
    expect((await call('/feedback/logs?rating=x')).status).toBe(400);
    expect((await call('/learning/hidden-prompts/active', 'POST', { active: true })).status).toBe(400);
    expect(await json('/learning/logs?success=true&limit=0')).toEqual({ count: 0, items: [] });
  });
});
