// /providers: engines and clouds at a glance, and the keys of the clouds. A key goes in and never comes out.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { KeyRequest, ProviderParams } from '../../contract/routing.js';
import type { ModelManager } from '../../models/model-manager.js';
import { CLOUD_PROVIDERS, type CloudProvider } from '../../routing/policy.js';
import { AppError } from '../../shared/errors.js';

export interface ProviderRoutesOptions {
  models: ModelManager;
  keys: {
    source(provider: CloudProvider): 'environment' | 'keyring' | 'file' | null;
    set(provider: CloudProvider, key: string): Promise<void>;
    delete(provider: CloudProvider): Promise<boolean>;
  };
  exit: { hasKey(provider: CloudProvider): boolean; endpoint(provider: CloudProvider): string | null };
  resting: (provider: CloudProvider) => boolean;
  /** What is known of the provider's models was learnt with another key. */
  onKeyChanged: (provider: CloudProvider) => void;
}

const NAMES: Readonly<Record<CloudProvider, string>> = {
  openai: 'OpenAI',
  google: 'Google Gemini',
  'cloud-compatible': 'OpenAI-compatible cloud',
};

export const providerRoutes: FastifyPluginAsyncZod<ProviderRoutesOptions> = async (
  app,
  { models, keys, exit, resting, onKeyChanged },
) => {
  const tags = ['providers'];

  app.get('/providers', { schema: { tags } }, async () => {
    const [{ provider: active }, health] = await Promise.all([models.activeIdentity(), models.health()]);
    const local = health.map(({ runtime, health: { state, error, latencyMs } }) => ({
      name: runtime.provider,
      display_name: runtime.provider,
      type: 'local_runtime',
      endpoint: runtime.endpoint,
      configured: true,
      key_source: null,
      connection_status: state === 'online' || state === 'ready' ? 'connected' : state,
      error_message: error,
      latency_ms: latencyMs,
      active: runtime.provider === active,
    }));
    const clouds = CLOUD_PROVIDERS.filter((name) => exit.endpoint(name) !== null).map((name) => ({
      name,
      display_name: NAMES[name],
      type: 'cloud_provider',
      endpoint: exit.endpoint(name),
      configured: exit.hasKey(name),
      key_source: keys.source(name),
      // Nobody is asked for the sake of a page.
      connection_status: !exit.hasKey(name) ? 'offline' : resting(name) ? 'degraded' : 'unknown',
      error_message: exit.hasKey(name)
        ? null
        : keys.source(name) === 'keyring'
          ? "The system's keyring did not give the key; unlock it."
          : 'There is no key.',
      latency_ms: null,
      active: name === active,
    }));
    const providers = [...local, ...clouds];
    return { status: 'success', providers, count: providers.length, active_provider: active };
  });

  const keyAnswer = (provider: CloudProvider, message: string) => ({
    status: 'success',
    provider,
    configured: exit.hasKey(provider),
    key_source: keys.source(provider),
    message,
  });

  app.put(
    '/providers/:provider/key',
    { schema: { params: ProviderParams, body: KeyRequest, tags } },
    async ({ params: { provider }, body: { key } }) => {
      if (exit.endpoint(provider) === null)
        throw new AppError('conflict', `Set CLOUD_COMPATIBLE_ENDPOINT before the key of ${provider}.`);
      await keys.set(provider, key);
      onKeyChanged(provider);
      return keyAnswer(
        provider,
        keys.source(provider) === 'environment'
          ? 'The key is kept, but the one in the environment goes first.'
          : 'The key is kept.',
      );
    },
  );

  app.delete(
    '/providers/:provider/key',
    { schema: { params: ProviderParams, tags } },
    async ({ params: { provider } }) => {
      const removed = await keys.delete(provider);
      onKeyChanged(provider);
      return keyAnswer(provider, removed ? 'The key is removed.' : 'There was no key to remove.');
    },
  );
};
