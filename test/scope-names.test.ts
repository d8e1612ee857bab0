// Whoever looks for a name of the scope finds the file that stands for it: as a class, a function, a setting or a file's first
// comment.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const SRC = join(ROOT, 'src');

const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(ts|json)$/.test(name) && !name.endsWith('.test.ts'))
  .map((name) => ({ name, text: readFileSync(join(SRC, name), 'utf8') }));

/** The comment a file begins with. */
const opening = (text: string): string => /^(\/\/.*\n)+/.exec(text)?.[0] ?? '';
const declares = (name: string) =>
  sources.filter(({ text }) => new RegExp(`(class|interface|function) ${name}\\b|\\b${name}\\(`).test(text));
const mentions = (name: string) => sources.filter(({ text }) => new RegExp(`\\b${name}\\b`).test(text));

describe('names of the scope', () => {
  it.each([
    'ModelRegistry',
    'ModelManager',
    'ModelOperation',
    'ModelManifest',
    'OllamaClient',
    'HuggingFaceClient',
    'LlmServerController',
    'ModelRouter',
    'Orchestrator',
    '_run_task_fastpath',
    'ResultProcessor',
    'StateManager',
    'RequestTracer',
    'SessionStore',
  ])('%s is declared', (name) => {
    expect(declares(name)).not.toEqual([]);
  });

  it.each([
    ['model_registry', 'models/model-registry.ts'],
    ['model_manager', 'models/model-manager.ts'],
    ['model_registry_clients', 'runtimes/ollama/ollama-client.ts'],
    ['model_registry_clients', 'catalogs/hugging-face/hugging-face-client.ts'],
    ['list_tags', 'runtimes/ollama/ollama-client.ts'],
    ['models_install', 'http/routes/models-install.ts'],
    ['models_usage', 'http/routes/models-usage.ts'],
    ['models_registry', 'http/routes/models-registry.ts'],
    ['models_registry_ops', 'http/routes/models-registry-ops.ts'],
    ['models_config', 'http/routes/models-config.ts'],
    ['models_translation', 'http/routes/models-translation.ts'],
    ['execution/model_router', 'routing/execution-router.ts'],
    ['core/model_router', 'routing/task-complexity.ts'],
    ['llm_server_controller', 'runtimes/llm-server-controller.ts'],
    ['generation_params_adapter', 'runtimes/generation-params.ts'],
    ['tracer', 'chat/tracing/request-tracer.ts'],
  ])('%s stands at the head of %s', (name, file) => {
    expect(opening(readFileSync(join(SRC, file), 'utf8'))).toContain(name);
  });

  it.each([
    'LOCAL',
    'HYBRID',
    'CLOUD',
    'AI_MODE',
    'LLM_LOCAL_ENDPOINT',
    'VLLM_ENDPOINT',
    'OPENAI_API_KEY',
    'GOOGLE_API_KEY',
    'LLM_KEEP_ALIVE',
    'HELP_REQUEST',
    'TIME_REQUEST',
    'INFRA_STATUS',
    'boot_id',
    'keep_alive: 0',
  ])('%s is in the code', (name) => {
    expect(mentions(name)).not.toEqual([]);
  });

  it.each(['CHAT_SESSION.md', 'architecture.md'])('docs/%s is there', (name) => {
    expect(existsSync(join(ROOT, 'docs', name))).toBe(true);
  });

  // The rest of the scope comes with the folder it names.
  it.skipIf(!existsSync(join(SRC, 'skills', 'base-skill.ts'))).each(['BaseSkill'])('%s is declared', (name) => {
    expect(declares(name)).not.toEqual([]);
  });
  it.skipIf(!existsSync(join(SRC, 'skills', 'mcp'))).each(['McpManagerSkill', 'ProxyGenerator'])(
    '%s is declared',
    (name) => {
      expect(declares(name)).not.toEqual([]);
    },
  );
});
