import type { LanguageModelV4Prompt } from '@ai-sdk/provider';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type FakeCloud, GOOGLE_KEY, OPENAI_KEY, startFakeCloud } from '../../../test/api/fake-cloud.js';
import type { CloudProvider } from '../../routing/policy.js';
import type { SensitivityRules, StreamBatches } from '../../routing/ports.js';
import { ExitGate } from './exit-gate.js';

let cloud: FakeCloud;
let gate: ExitGate;

function open(
  changes: { sensitivity?: Partial<SensitivityRules>; keys?: Partial<Record<CloudProvider, string>> } = {},
) {
  const keys = { openai: OPENAI_KEY, google: GOOGLE_KEY, 'cloud-compatible': 'compatible-key', ...changes.keys };
  return new ExitGate({
    keys: { get: (provider) => keys[provider] },
    endpoints: {
      openai: `${cloud.origin}/v1`,
      google: `${cloud.origin}/v1beta`,
      'cloud-compatible': `${cloud.origin}/v1`,
    },
    sensitivity: { localOnly: true, masking: false, imagesMayLeave: false, options: {}, ...changes.sensitivity },
    connectTimeoutMs: 1_000,
    idleTimeoutMs: 1_000,
  });
}

beforeEach(async () => {
  cloud = await startFakeCloud();
  gate = open();
});
afterEach(async () => {
  await gate.close();
  await cloud.close();
});

const says = (text: string): LanguageModelV4Prompt => [{ role: 'user', content: [{ type: 'text', text }] }];
const meter = () => ({ bytesSent: 0, bytesReceived: 0 });
const send = (
  prompt: LanguageModelV4Prompt,
  changes: { provider?: CloudProvider; labels?: string[]; options?: object } = {},
) =>
  gate.stream({
    provider: changes.provider ?? 'openai',
    model: 'gpt-4o',
    options: { prompt, ...changes.options },
    labels: changes.labels ?? [],
    meter: meter(),
  });

async function textOf(stream: StreamBatches): Promise<string> {
  let text = '';
  for await (const batch of stream) for (const part of batch) if (part.type === 'text-delta') text += part.delta;
  return text;
}

describe('ExitGate', () => {
  it.each(['openai', 'google', 'cloud-compatible'] as const)('asks %s with the key in a header', async (provider) => {
    expect(await textOf(await send(says('Hello'), { provider }))).toBe('From the cloud');
    const [request] = cloud.requests;
    expect(request?.url).not.toMatch(/key|AIza|sk-/);
    expect(request?.headers[provider === 'google' ? 'x-goog-api-key' : 'authorization']).toMatch(
      provider === 'google' ? GOOGLE_KEY : /^Bearer /,
    );
  });

  it('opens no connection for what is labelled, whatever it says', async () => {
    await expect(send(says('Hello'), { labels: ['anything'] })).rejects.toMatchObject({ code: 'sensitive_blocked' });
    expect(cloud.everything()).toBe('');
  });

  it.each([
    ['a question', says('IBAN DE89370400440532013000')],
    ['instructions of our own', [{ role: 'system', content: 'Call +48 600 700 800' }, ...says('Hello')]],
    [
      'the result of a tool',
      [
        ...says('Hello'),
        {
          role: 'assistant',
          content: [{ type: 'tool-call', toolCallId: '1', toolName: 'read', input: { path: 'x' } }],
        },
        {
          role: 'tool',
          content: [
            {
              type: 'tool-result',
              toolCallId: '1',
              toolName: 'read',
              output: { type: 'json', value: { lines: ['ok', 'mail anna@example.com'] } },
            },
          ],
        },
      ],
    ],
    [
      'the arguments of a tool call',
      [
        ...says('Hello'),
        {
          role: 'assistant',
          content: [{ type: 'tool-call', toolCallId: '1', toolName: 'x', input: { to: 'anna@example.com' } }],
        },
        {
          role: 'tool',
          content: [{ type: 'tool-result', toolCallId: '1', toolName: 'x', output: { type: 'text', value: 'ok' } }],
        },
      ],
    ],
  ] as [string, LanguageModelV4Prompt][])('looks into %s by itself', async (_where, prompt) => {
    for (const provider of ['openai', 'google', 'cloud-compatible'] as const)
      await expect(send(prompt, { provider })).rejects.toMatchObject({ code: 'sensitive_blocked' });
    expect(cloud.everything()).toBe('');
  });

  it('looks into the descriptions of tools', async () => {
    const tools = [
      { type: 'function', name: 'mail', description: 'For anna@example.com', inputSchema: { type: 'object' } },
    ];
    await expect(send(says('Hello'), { options: { tools } })).rejects.toMatchObject({ code: 'sensitive_blocked' });
    expect(cloud.everything()).toBe('');
  });

  it('does not send what it cannot read', async () => {
    const picture: LanguageModelV4Prompt = [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'file', mediaType: 'image/png', data: { type: 'data', data: 'iVBORw0KGgo=' } },
        ],
      },
    ];
    await expect(send(picture)).rejects.toMatchObject({
      code: 'sensitive_blocked',
      details: { findings: ['unreadable'] },
    });
    expect(cloud.everything()).toBe('');
  });

  it('follows no redirect: it would take key and question along', async () => {
    cloud.fault = (_request, response) => {
      response.writeHead(307, { location: `${cloud.origin}/v1/elsewhere` });
      response.end();
      return true;
    };
    await expect(send(says('Hello'))).rejects.toMatchObject({ code: 'upstream_redirect' });
    expect(cloud.requests).toHaveLength(1);
  });

  it('reads lists with the key in a header, and only where they belong', async () => {
    const read = gate.reader('google');
    expect((await read(`${cloud.origin}/v1beta/models`)).status).toBe(200);
    expect(cloud.everything()).toContain(`x-goog-api-key: ${GOOGLE_KEY}`);
    await expect(read('http://127.0.0.1:9/v1beta/models')).rejects.toMatchObject({ code: 'upstream_redirect' });
    await expect(read(`${cloud.origin}/v1beta/models?key=${GOOGLE_KEY}`)).rejects.toMatchObject({
      code: 'upstream_redirect',
    });
  });

  it('has no way out without a key', async () => {
    gate = open({ keys: { openai: '' } });
    expect(gate.hasKey('openai')).toBe(false);
    await expect(send(says('Hello'))).rejects.toMatchObject({ code: 'no_endpoint' });
    await expect(gate.reader('openai')(`${cloud.origin}/v1/models`)).rejects.toMatchObject({ code: 'no_endpoint' });
    expect(cloud.everything()).toBe('');
  });

  it('brings a stop to the provider', async () => {
    let closed: () => void;
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    cloud.fault = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      response.on('close', () => closed());
      return true;
    };
    const abort = new AbortController();
    const reading = send(says('Hello'), { options: { abortSignal: abort.signal } }).then(textOf);
    reading.catch(() => {});
    await vi.waitFor(() => expect(cloud.requests).toHaveLength(1));
    abort.abort();
    await expect(reading).rejects.toMatchObject({ code: 'cancelled' });
    await gone;
  });

  it('gives up on a provider that says nothing', async () => {
    cloud.fault = () => true;
    await expect(send(says('Hello'))).rejects.toMatchObject({ code: 'upstream_timeout' });
  });

  it('keeps what the client library knows of a request out of its errors', async () => {
    cloud.fault = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end('data: {"error": {"message": "canary sings"}}\n\ndata: broken\n\n');
      return true;
    };
    const error = await send(says('A canary sings'))
      .then(textOf)
      .catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: 'upstream_protocol' });
    const { inspect } = await import('node:util');
    expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/canary|sk-test/);
  });
});
