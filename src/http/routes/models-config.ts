// `models_config`: /models/{model_name}/capabilities, /runtime-capabilities and /config. Names with a slash are taken
// encoded or not.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { ConfigRequest } from '../../contract/models.js';
import type { FitAdvice, FitAdvisor } from '../../models/fit-advisor.js';
import type { GenerationOverrides } from '../../models/generation-overrides.js';
import type { ModelManager } from '../../models/model-manager.js';
import type { ModelRegistry } from '../../models/model-registry.js';
import { localManifest } from '../../models/model-trial.js';
import { formatOf, schemaFor } from '../../runtimes/generation-params.js';
import { AppError } from '../../shared/errors.js';
import { toCapabilities } from './model-shapes.js';

export interface ModelsConfigOptions {
  models: ModelManager;
  registry: ModelRegistry;
  overrides: GenerationOverrides;
  fit: FitAdvisor;
}

const VIEWS = ['capabilities', 'runtime-capabilities', 'config', 'fit'] as const;
type View = (typeof VIEWS)[number];

export const modelsConfigRoutes: FastifyPluginAsyncZod<ModelsConfigOptions> = async (
  app,
  { models, registry, overrides, fit },
) => {
  const tags = ['models'];
  const params = z.object({ model_name: z.string().min(1).max(300) });
  const Runtime = z.string().max(50).nullish();

  const capabilities = async (asked: string, wanted: string | null | undefined) => {
    const found = await models.find(asked, wanted ?? undefined);
    const name = found?.model.name ?? asked;
    let manifest = registry.manifest(name, found?.runtime.provider ?? wanted ?? undefined);
    if (!manifest) {
      if (!found) throw new AppError('model_not_found', `No installed model is called ${name}.`);
      manifest = localManifest(found.model, found.runtime.provider);
      const described = await found.runtime.describeModel?.(name).catch(() => null);
      if (described)
        manifest.capabilities = {
          ...manifest.capabilities,
          supportsFunctionCalling: described.capabilities.includes('tools'),
          promptTemplate: described.template,
          maxContextLength: described.contextLength ?? manifest.capabilities.maxContextLength,
        };
    }
    return { success: true, model_name: name, capabilities: toCapabilities(manifest) };
  };

  const runtimeCapabilities = async (asked: string, wanted: string | null | undefined) => {
    const found = await models.find(asked, wanted ?? undefined);
    if (!found) throw new AppError('model_not_found', `No installed model is called ${asked}.`);
    const { runtime } = found;
    const { name } = found.model;
    const described = await runtime.describeModel?.(name).catch(() => null);
    const version = await runtime.version?.().catch(() => null);
    const probe = registry.manifest(name, runtime.provider)?.probe;
    const declared = described?.capabilities ?? [];
    const probed = (probeName: string, declaredAs: string) => {
      const measured = probe?.results.find((result) => result.name === probeName && result.score !== null);
      if (measured) return { status: measured.status, ...(measured.reason ? { reason: measured.reason } : {}) };
      return declared.includes(declaredAs) ? { status: 'metadata_only' } : { status: 'failed', reason: 'not declared' };
    };
    return {
      success: true,
      model_name: name,
      runtime_capabilities: {
        runtime_id: runtime.provider,
        endpoint: runtime.endpoint,
        model_name: name,
        probe_status: probe ? 'verified' : described ? 'metadata_only' : 'failed',
        ollama_version: runtime.provider === 'ollama' ? (version ?? null) : null,
        metadata_source: described ? 'show' : 'none',
        compatibility_profile: 'default',
        context_length: described?.contextLength ?? null,
        parameter_size: described?.parameterSize ?? null,
        quantization: described?.quantization ?? null,
        capabilities: Object.fromEntries(declared.map((capability) => [capability, true])),
        raw_capabilities: declared,
        details: { family: described?.family ?? null, license: described?.license ?? null },
        model_info: {},
        probes: {
          show: described ? { status: 'verified' } : { status: 'failed', reason: 'the engine does not describe it' },
          thinking: probed('thinking', 'thinking'),
          tools: probed('tool_call', 'tools'),
          vision: probed('vision', 'vision'),
          audio: probed('audio', 'audio'),
        },
        fallbacks: {},
      },
    };
  };

  const place = async (asked: string, wanted: string | null | undefined) => {
    const found = await models.find(asked, wanted || undefined);
    const active = (await models.activeIdentity()).provider;
    return { runtime: wanted || found?.runtime.provider || active, name: found?.model.name ?? asked };
  };

  const config = async (asked: string, wanted: string | null | undefined) => {
    const { runtime, name } = await place(asked, wanted);
    const schema = schemaFor(
      name,
      formatOf(runtime, models.activeServer),
      registry.manifest(name, runtime)?.capabilities.generationSchema,
    );
    const described = (await models.describe(name, runtime).catch(() => null))?.parameters ?? {};
    const defaults = Object.fromEntries(
      Object.entries(schema).map(([parameter, rule]) => [parameter, described[parameter] ?? rule.default]),
    );
    return {
      success: true,
      model_name: name,
      generation_schema: schema,
      current_values: { ...defaults, ...overrides.get(runtime, name) },
      runtime,
    };
  };

  const configure = async (asked: string, body: z.output<typeof ConfigRequest>) => {
    const { runtime, name } = await place(asked, body.runtime);
    const own = registry.manifest(name, runtime)?.capabilities.generationSchema;
    return {
      success: true,
      model_name: name,
      runtime,
      params: overrides.set(runtime, name, body.params, own),
    };
  };

  const querystring = z.object({ runtime: Runtime.describe('where two engines have the name') });
  app.get('/models/:model_name/capabilities', { schema: { params, querystring, tags } }, async (request) =>
    capabilities(request.params.model_name, request.query.runtime),
  );
  app.get('/models/:model_name/runtime-capabilities', { schema: { params, querystring, tags } }, async (request) =>
    runtimeCapabilities(request.params.model_name, request.query.runtime),
  );
  app.get('/models/:model_name/config', { schema: { params, querystring, tags } }, async (request) =>
    config(request.params.model_name, request.query.runtime),
  );
  app.post('/models/:model_name/config', { schema: { params, body: ConfigRequest, tags } }, async (request) =>
    configure(request.params.model_name, request.body),
  );

  app.get('/models/:model_name/fit', { schema: { params, querystring, tags } }, async (request) => {
    const { model_name } = request.params;
    return toFit(model_name, await fit.installed(model_name, request.query.runtime ?? undefined));
  });
  app.get(
    '/models/fit',
    {
      schema: {
        querystring: z.object({
          name: z.string().min(1).max(200),
          provider: z.string().max(50).default('huggingface'),
        }),
        tags,
      },
    },
    async ({ query }) => toFit(query.name, await fit.offered(query.name, query.provider)),
  );

  // The same for names whose slash was not encoded.
  app.get('/models/*', { schema: { querystring, hide: true } }, async (request, reply) => {
    const [name, view] = split((request.params as { '*': string })['*']);
    const { runtime } = request.query;
    if (view === 'capabilities') return capabilities(name, runtime);
    if (view === 'runtime-capabilities') return runtimeCapabilities(name, runtime);
    if (view === 'config') return config(name, runtime);
    if (view === 'fit') return toFit(name, await fit.installed(name, runtime ?? undefined));
    return reply.callNotFound();
  });
  app.post(
    '/models/*',
    {
      schema: { body: ConfigRequest, hide: true },
      // Before the body is judged: whoever asks for what is not there is told so.
      preValidation: async (request, reply) => {
        const [, view] = split((request.params as { '*': string })['*']);
        return view === 'config' ? undefined : reply.callNotFound();
      },
    },
    async (request) => configure(split((request.params as { '*': string })['*'])[0], request.body),
  );
};

function split(path: string): [name: string, view: View | undefined] {
  const at = path.lastIndexOf('/');
  const view = VIEWS.find((candidate) => candidate === path.slice(at + 1));
  return [path.slice(0, Math.max(0, at)), view];
}

export const toFit = (
  name: string,
  { shape, machine, estimates, quantizations, measured, correction, planned }: FitAdvice,
) => ({
  success: true,
  model_name: name,
  file_bytes: shape.fileBytes,
  quantization: shape.quantization,
  parameters: shape.parameters,
  machine: {
    available_bytes: machine.availableBytes,
    total_bytes: machine.totalBytes,
    vram_free_bytes: machine.vramFreeBytes,
  },
  estimates: estimates.map(toEstimate),
  quantizations: quantizations.map(({ quantization, ...rest }) => ({ quantization, ...toEstimate(rest) })),
  measured: measured
    ? {
        memory_bytes: measured.memoryBytes,
        tokens_per_second: measured.tokensPerSecond,
        at: new Date(measured.at).toISOString(),
      }
    : null,
  correction,
  planned: planned
    ? {
        context_length: planned.contextLength,
        conversations: planned.conversations,
        first_estimate_bytes: planned.firstBytes,
        second_estimate_bytes: planned.secondBytes,
      }
    : null,
});

const toEstimate = (fit: FitAdvice['estimates'][number]) => ({
  context_length: fit.contextLength,
  conversations: fit.conversations,
  weights_bytes: fit.weightsBytes,
  cache_bytes: fit.cacheBytes,
  overhead_bytes: fit.overheadBytes,
  total_bytes: fit.totalBytes,
  verdict: fit.verdict,
  gpu_layers: fit.gpuLayers,
  tokens_per_second: fit.tokensPerSecond,
});
