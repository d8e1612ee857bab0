// POST /models/install: a name and nothing else, as the original's page sends it.
import { afterEach, describe, expect, it } from 'vitest';
import { startFakeOllama } from '../stand-ins/ollama.js';
import { startServer, type TestServer } from './server.js';

let server: TestServer;
afterEach(() => server.close());

async function install(name: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${server.url}/api/v1/models/install`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
const operation = async (id: unknown) =>
  (await (await fetch(`${server.url}/api/v1/models/operations/${id}`)).json()) as { operation: object };

describe('where an Ollama is', () => {
  it('has it fetch the model, and says what is here already', async () => {
    const ollama = await startFakeOllama();
    server = await startServer({ OLLAMA_ENDPOINT: ollama.url, LLM_WARMUP_ON_STARTUP: 'false' });
    const { status, body } = await install('OpenCodeInterpreter-Qwen2.5-7B');
    expect(status).toBe(200);
    expect(body).toEqual({
      success: true,
      message: expect.any(String),
      model_name: 'qwen2.5-coder:7b',
      requested_model_alias: 'OpenCodeInterpreter-Qwen2.5-7B',
      resolved_model_id: 'qwen2.5-coder:7b',
      resolution_reason: 'exact',
      feedback_loop_ready: true,
      feedback_loop_tier: 'primary',
      install_candidates: ['qwen2.5-coder:7b', 'qwen2.5-coder:3b', 'codestral:latest'],
      operation_id: expect.any(String),
    });
    expect(await operation(body['operation_id'])).toMatchObject({
      operation: { provider: 'ollama', runtime: 'ollama', model_name: 'qwen2.5-coder:7b' },
    });
    expect((await install('small')).body).toEqual({
      success: true,
      already_installed: true,
      message: expect.any(String),
      model_name: 'small',
      requested_model_alias: null,
      resolved_model_id: 'small',
      resolution_reason: 'exact',
      feedback_loop_ready: false,
      feedback_loop_tier: 'not_recommended',
    });
    await ollama.close();
  });
});

describe('where no Ollama is', () => {
  it('takes what Venom offers itself, and says of anything else what is missing', async () => {
    // So little room that nothing is fetched for a test.
    server = await startServer({ MODELS_DISK_LIMIT_GB: '0.001', LLM_WARMUP_ON_STARTUP: 'false' });
    const { status, body } = await install('gemma-3-270m-q4_k_m');
    expect(status).toBe(200);
    expect(await operation(body['operation_id'])).toMatchObject({
      operation: { provider: 'python-index', runtime: 'llama-cpp', model_name: 'gemma-3-270m-q4_k_m' },
    });
    const refused = await install('phi3:latest');
    expect(refused).toMatchObject({ status: 400, body: { detail: expect.stringContaining('no Ollama') } });
  });
});
