// A vLLM server as its documentation describes the wire: health, version, models with adapters, chat with usage, errors,
// Prometheus metrics, sleep mode, tokenization. It generates nothing: it says what it was told to say.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface VllmStandIn {
  readonly url: string;
  /** Bodies of chat requests. */
  readonly requests: Record<string, unknown>[];
  sleeping: boolean;
  load: { running: number; waiting: number; kvCacheUsage: number };
  words: string[];
  /** Instead of `words`: an answer, a call, thoughts, or an error of the wire. */
  says?: (body: Record<string, unknown>) => VllmSays;
  close(): Promise<void>;
}

export type VllmSays =
  | string
  | { thought: string; text?: string }
  | { call: string; input: object }
  | { status: number; message: string };

export interface VllmStandInOptions {
  /** Started with `--enable-sleep-mode` and `VLLM_SERVER_DEV_MODE=1`. */
  sleepMode?: boolean;
  /** Its `--api-key`, which guards /v1 only. */
  apiKey?: string;
}

const CONTEXT = 4_096;

export async function startVllm({ sleepMode = true, apiKey }: VllmStandInOptions = {}): Promise<VllmStandIn> {
  const requests: Record<string, unknown>[] = [];
  const server: Server = createServer((request, response) => void answer(request, response));
  const vllm: Omit<VllmStandIn, 'url'> & { url: string } = {
    url: '',
    requests,
    sleeping: false,
    load: { running: 0, waiting: 0, kvCacheUsage: 0.25 },
    words: ['Hello', ' from', ' vLLM'],
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://vllm');
    let text = '';
    for await (const piece of request) text += piece;
    const json = (body: unknown, status = 200) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const failure = (status: number, message: string, type: string) =>
      json({ error: { message, type, param: null, code: status } }, status);
    if (apiKey && pathname.startsWith('/v1/') && request.headers.authorization !== `Bearer ${apiKey}`)
      return void json({ error: 'Unauthorized' }, 401);
    switch (`${request.method} ${pathname}`) {
      case 'GET /health':
        return void response.writeHead(200).end();
      case 'GET /version':
        return void json({ version: '0.15.1' });
      case 'GET /metrics': {
        const { running, waiting, kvCacheUsage } = vllm.load;
        const labels = '{engine="0",model_name="base"}';
        return void response.writeHead(200, { 'content-type': 'text/plain; version=1.0.0; charset=utf-8' }).end(
          `# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running${labels} ${running}.0
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting${labels} ${waiting}.0
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc${labels} ${kvCacheUsage}
# TYPE vllm:prompt_tokens_total counter
vllm:prompt_tokens_total${labels} 1.234e+06
`,
        );
      }
      case 'GET /v1/models': {
        const card = { object: 'model', created: 1_700_000_000, owned_by: 'vllm', permission: [] };
        return void json({
          object: 'list',
          data: [
            { ...card, id: 'base', root: 'org/base', parent: null, max_model_len: CONTEXT },
            { ...card, id: 'sql-lora', root: '/adapters/sql', parent: 'base', max_model_len: null },
          ],
        });
      }
      case 'POST /tokenize': {
        const tokens = (JSON.parse(text).prompt as string)
          .split(/\s+/)
          .filter(Boolean)
          .map((_, index) => index);
        return void json({ count: tokens.length, max_model_len: CONTEXT, tokens, token_strs: null });
      }
      case 'GET /is_sleeping':
        return void (sleepMode ? json({ is_sleeping: vllm.sleeping }) : json({ detail: 'Not Found' }, 404));
      case 'POST /sleep':
      case 'POST /wake_up':
        if (!sleepMode) return void json({ detail: 'Not Found' }, 404);
        vllm.sleeping = pathname === '/sleep' && ['1', '2'].includes(searchParams.get('level') ?? '1');
        return void response.writeHead(200).end();
      case 'POST /v1/embeddings': {
        const inputs = JSON.parse(text).input as string[];
        return void json({
          object: 'list',
          data: inputs.map((input, index) => ({ object: 'embedding', index, embedding: [input.length, 1] })).reverse(),
          usage: { prompt_tokens: inputs.length, total_tokens: inputs.length },
        });
      }
      case 'POST /v1/chat/completions': {
        if (vllm.sleeping) return void failure(503, 'The model is sleeping.', 'ServiceUnavailableError');
        const body = JSON.parse(text) as Record<string, unknown>;
        requests.push(body);
        if (!['base', 'sql-lora'].includes(String(body['model'])))
          return void failure(404, `The model \`${body['model']}\` does not exist.`, 'NotFoundError');
        if (Number(body['max_tokens'] ?? 0) > CONTEXT)
          return void failure(400, `This model's maximum context length is ${CONTEXT} tokens.`, 'BadRequestError');
        const says = vllm.says?.(body) ?? { thought: 'Thinking', text: vllm.words.join('\u0000') };
        if (typeof says === 'object' && 'status' in says)
          return void failure(says.status, says.message, 'BadRequestError');
        return chat(body, response, says);
      }
      default:
        return void json({ detail: 'Not Found' }, 404);
    }
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(vllm, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` });
}

function chat(
  body: Record<string, unknown>,
  response: ServerResponse,
  says: Exclude<VllmSays, { status: number }>,
): void {
  const said = typeof says === 'string' ? { text: says } : says;
  const words = ('text' in said ? (said.text ?? '') : '').split('\u0000');
  const head = { id: 'chatcmpl-1', created: 1_700_000_000, model: body['model'] };
  const usage = { prompt_tokens: 5, completion_tokens: words.length, total_tokens: 5 + words.length };
  const stop_reason = null;
  const tool_calls =
    'call' in said
      ? [
          {
            index: 0,
            id: 'call_1',
            type: 'function',
            function: { name: said.call, arguments: JSON.stringify(said.input) },
          },
        ]
      : [];
  const finish = tool_calls.length > 0 ? 'tool_calls' : 'stop';
  if (body['stream'] !== true) {
    const message = { role: 'assistant', content: words.join(''), reasoning: null, tool_calls };
    const choices = [{ index: 0, message, logprobs: null, finish_reason: finish, stop_reason }];
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ ...head, object: 'chat.completion', choices, usage }));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  const event = (choices: unknown[], rest: object = {}) =>
    response.write(`data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...rest })}\n\n`);
  const choice = (delta: object, finish_reason: string | null = null) => ({
    index: 0,
    delta,
    logprobs: null,
    finish_reason,
  });
  event([choice({ role: 'assistant', content: '' })]);
  if ('thought' in said) event([choice({ reasoning: said.thought })]);
  if (tool_calls.length > 0) event([choice({ tool_calls })]);
  for (const content of words) event([choice({ content })]);
  event([{ ...choice({ content: '' }, finish), stop_reason }]);
  if ((body['stream_options'] as { include_usage?: boolean } | undefined)?.include_usage) event([], { usage });
  response.end('data: [DONE]\n\n');
}
