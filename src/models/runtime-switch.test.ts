import { describe, expect, it } from 'vitest';
import type { LlmServerController } from '../runtimes/llm-server-controller.js';
import type { ModelManager } from './model-manager.js';
import { RuntimeSwitch } from './runtime-switch.js';

/** Two engines, as far as a switch looks at them; `unload` says how the old one lets go. */
function setUp(unload: () => Promise<void> = async () => {}) {
  let active = 'old';
  const runtime = (provider: string) => ({
    provider,
    endpoint: null,
    health: async () => ({ state: 'online' }),
    unloadAll: unload,
  });
  const models = {
    runtime: (name: string) => (name === 'old' || name === 'new' ? runtime(name) : undefined),
    activeIdentity: async () => ({ provider: active }),
    activeModel: async () => null,
    changed: () => {},
    lastModels: () => ({ last: '', previous: '' }),
    list: async () => ({ models: [{ name: 'm', provider: 'new', chat: true }], unavailable: [] }),
    choose: async (_model: string, provider: string) => {
      active = provider;
    },
  } as unknown as ModelManager;
  const switching = new RuntimeSwitch({
    models,
    controller: { definitions: [], owns: () => false } as unknown as LlmServerController,
    newId: () => 'id',
    now: () => 1,
    codingFacts: async () => ({ profile: '', contextLength: 0, memoryTotalBytes: 0, vramTotalBytes: null }),
    onSelected: () => {},
  });
  const run = (serverName = 'new') => switching.run({ serverName, exactOnly: false, source: 'ui' });
  return { run, switching };
}

describe('RuntimeSwitch', () => {
  it('lets one through of two that come together', async () => {
    const { run, switching } = setUp();
    const results = await Promise.allSettled([run(), run()]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(results[1]).toMatchObject({ reason: { code: 'switch_in_progress' } });
    expect(switching.gate).toBeUndefined();
  });

  it('does not wait for the last answer of the old engine, and says what is done so far', async () => {
    const { run } = setUp(() => new Promise(() => {}));
    const startedAt = performance.now();
    const { lifecycle } = await run();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(lifecycle.completed).toContain('config_saved');
    expect(lifecycle.completed).not.toContain('release_done');
  }, 10_000);

  it('opens its gate again after a failure', async () => {
    const { run, switching } = setUp();
    await expect(run('nowhere')).rejects.toMatchObject({ code: 'not_found' });
    expect(switching.gate).toBeUndefined();
  });
});
