// Traces over OTLP/HTTP, against a collector that records what arrives.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';
import { TaskClient } from './task-client.js';

const loaded = vi.hoisted(() => ({ exporter: false }));
vi.mock('@opentelemetry/exporter-trace-otlp-http', async (original) => {
  loaded.exporter = true;
  return await original();
});

interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: Record<string, unknown> }[];
  events: { name: string }[];
  status: { code?: number };
}

let upstream: FakeUpstream;
let collector: Server;
let collectorUrl: string;
let bodies: string[];
let headers: Record<string, unknown>[];
let server: TestServer | undefined;

beforeEach(async () => {
  bodies = [];
  headers = [];
  upstream = await startFakeUpstream();
  collector = createServer(async (request, response) => {
    let text = '';
    for await (const piece of request) text += piece;
    if (request.url === '/v1/traces') {
      bodies.push(text);
      headers.push(request.headers);
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  collectorUrl = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  collector.closeAllConnections();
  collector.close();
  await upstream.close();
});

async function start(env: Record<string, string> = {}) {
  server = await startServer({
    LLM_LOCAL_ENDPOINT: upstream.url,
    LLM_WARMUP_ON_STARTUP: 'false',
    OTEL_EXPORTER_OTLP_ENDPOINT: collectorUrl,
    ...env,
  });
  return { server, client: new TaskClient(server.url) };
}

/** Closing sends what is gathered. */
async function arrived(): Promise<Span[]> {
  await server?.close();
  server = undefined;
  return bodies.flatMap((body) =>
    (JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] }).resourceSpans.flatMap(
      ({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans),
    ),
  );
}
const attributesOf = (span: Span | undefined) =>
  Object.fromEntries((span?.attributes ?? []).map(({ key, value }) => [key, Object.values(value)[0]]));
const named = (spans: Span[], name: string) => spans.find((span) => span.name === name);

async function askDirect(base: string, content: string): Promise<string> {
  const response = await fetch(`${base}/api/v1/llm/simple/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ content, session_id: 'otel-session', temperature: 0.5 }),
  });
  await response.text();
  return response.headers.get('x-request-id') ?? '';
}

describe('traces over OTLP', () => {
  // The first test: what is loaded once stays loaded.
  it('load nothing of OpenTelemetry before there is a collector', async () => {
    const { server: without } = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: '' });
    await askDirect(without.url, 'Hello?');
    expect(await arrived()).toEqual([]);
    expect(loaded.exporter).toBe(false);
    await start();
    expect(loaded.exporter).toBe(true);
  });

  it('have the request, its routing, its context and the engine that answered, under GenAI names', async () => {
    const { server: running } = await start({ OTEL_EXPORTER_OTLP_HEADERS: 'x-team=blue%20heron' });
    const id = await askDirect(running.url, 'What is the capital of France?');
    const spans = await arrived();
    const root = named(spans, 'venom.request');
    expect(root).toMatchObject({ traceId: id.replaceAll('-', ''), kind: 2 });
    expect(root?.events.map(({ name }) => name)).toContain('SimpleMode.request');
    for (const name of ['venom.routing', 'venom.context', 'chat fake-model'])
      expect(named(spans, name)).toMatchObject({ parentSpanId: root?.spanId, traceId: root?.traceId });
    const chat = named(spans, 'chat fake-model');
    expect(chat?.kind).toBe(3);
    expect(attributesOf(chat)).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai-compatible',
      'gen_ai.request.model': 'fake-model',
      'gen_ai.request.temperature': 0.5,
      'gen_ai.conversation.id': 'otel-session',
      'server.address': '127.0.0.1',
      'gen_ai.usage.input_tokens': 3,
      'gen_ai.usage.output_tokens': 3,
    });
    expect(BigInt(chat?.endTimeUnixNano ?? 0)).toBeGreaterThanOrEqual(BigInt(chat?.startTimeUnixNano ?? 1));
    expect(headers[0]).toMatchObject({ 'x-team': 'blue heron' });
    expect(bodies.join()).toContain('"service.name"');
  });

  it('carry no text anybody wrote, unless that is wanted', async () => {
    const first = await start();
    await askDirect(first.server.url, 'SECRET-QUESTION');
    await first.client.run({ content: 'SECRET-TASK about gardens', session_id: 's1' });
    await arrived();
    expect(bodies.join()).toContain('venom.request');
    expect(bodies.join()).not.toMatch(/SECRET|Hello/);
    const second = await start({ OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true' });
    await askDirect(second.server.url, 'SECRET-QUESTION');
    const root = named(await arrived(), 'venom.request');
    expect(root).toBeDefined();
    expect(bodies.join()).toMatch(/gen_ai\.input\.messages.*SECRET-QUESTION/);
    expect(bodies.join()).toMatch(/gen_ai\.output\.messages.*Hello world/);
  });

  it('mark what failed', async () => {
    const { client } = await start();
    upstream.behaviour = (_body, response) => void response.writeHead(400).end('{"error":{"message":"no"}}');
    const task = await client.run({ content: 'Tell me a joke' });
    expect(task.status).toBe('FAILED');
    const spans = await arrived();
    const root = spans.find(({ traceId, parentSpanId }) => traceId === task.id.replaceAll('-', '') && !parentSpanId);
    expect(root?.status.code).toBe(2);
    expect(attributesOf(root)).toMatchObject({ 'error.type': 'upstream_rejected', 'venom.request.status': 'FAILED' });
    expect(attributesOf(named(spans, 'chat fake-model'))).toMatchObject({ 'error.type': 'upstream_rejected' });
  });

  it('come from /v1 too, streamed or whole', async () => {
    const { server: running } = await start();
    upstream.behaviour = streams(['Hi']);
    const ask = (path: string, stream: boolean) =>
      fetch(`${running.url}/v1/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          model: 'fake-model',
          max_tokens: 16,
          stream,
          messages: [{ role: 'user', content: 'Hi?' }],
        }),
      }).then((response) => response.text());
    for (const path of ['messages', 'chat/completions']) for (const stream of [true, false]) await ask(path, stream);
    const chats = (await arrived()).filter(({ name }) => name === 'chat fake-model');
    // What is handed through byte by byte is not counted.
    expect(chats.map((chat) => attributesOf(chat)['gen_ai.usage.input_tokens'])).toEqual([3, 3, undefined, undefined]);
  });

  it('are lost, and nothing else, where the collector is not there', async () => {
    collector.closeAllConnections();
    await new Promise((resolve) => collector.close(resolve));
    const { server: running } = await start();
    expect(await askDirect(running.url, 'Hello?')).not.toBe('');
    await running.close();
    server = undefined;
  });
});
