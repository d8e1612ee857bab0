// `models_config`: /models/{model_name}/capabilities, /runtime-capabilities and /config. Names with a slash are taken
// encoded or not.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { AddressedName } from '../../contract/addressed-name.js';
import { ConfigRequest, engineOf, WhichEngine } from '../../contract/models.js';
import { isTelling } from '../../models/abilities.js';
import type { FitAdvice, FitAdvisor } from '../../models/fit-advisor.js';
import type { GenerationOverrides } from '../../models/generation-overrides.js';
import { meantModel } from '../../models/meant-model.js';
import type { ModelManager } from '../../models/model-manager.js';
import type { ModelRegistry } from '../../models/model-registry.js';
import { localManifest } from '../../models/model-trial.js';
import { formatOf, schemaFor } from '../../runtimes/generation-params.js';
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
  const params = z.object({ model_name: AddressedName });

  /** Who else holds a model of this name, so that nobody takes one for the other. */
  const others = async (name: string, runtime: string) =>
    (await models.holders(name)).map((holder) => holder.runtime.provider).filter((provider) => provider !== runtime);

  const capabilities = async (asked: string, engine: string | undefined) => {
    const there = await models.find(asked, engine);
    const name = there?.model.name ?? asked;
    // Of an engine that does not answer right now its manifest tells.
    let manifest = registry.manifest(name, there?.runtime.provider ?? engine);
    if (!manifest) {
      const found = there ?? (await meantModel(models, name, engine));
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
    return {
      success: true,
      model_name: name,
      capabilities: toCapabilities(manifest),
      runtime: manifest.runtime,
      also_on: await others(name, manifest.runtime),
    };
  };

  const runtimeCapabilities = async (asked: string, engine: string | undefined) => {
    const { runtime, model } = await meantModel(models, asked, engine);
    const { name } = model;
    const described = await runtime.describeModel?.(name).catch(() => null);
    const version = await runtime.version?.().catch(() => null);
    const probe = registry.manifest(name, runtime.provider)?.probe;
    const declared = described?.capabilities ?? [];
    const probed = (probeName: string, declaredAs: string) => {
      const measured = probe?.results.find(
        ({ name: one, score, status }) => one === probeName && (score !== null || status === 'failed'),
      );
      if (measured) return { status: measured.status, ...(measured.reason ? { reason: measured.reason } : {}) };
      if (declared.includes(declaredAs)) return { status: 'metadata_only' };
      return { status: 'failed', reason: isTelling(runtime.provider) ? 'not declared' : 'the engine does not say' };
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
    const described =
      (
        await models
          .runtime(runtime)
          ?.describeModel?.(name)
          .catch(() => null)
      )?.parameters ?? {};
    const defaults = Object.fromEntries(
      Object.entries(schema).map(([parameter, rule]) => [parameter, described[parameter] ?? rule.default]),
    );
    return {
      success: true,
      model_name: name,
      generation_schema: schema,
      current_values: { ...defaults, ...overrides.get(runtime, name) },
      runtime,
      also_on: await others(name, runtime),
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

  const querystring = WhichEngine;
  app.get('/models/:model_name/capabilities', { schema: { params, querystring, tags } }, async ({ params, query }) =>
    capabilities(params.model_name, engineOf(query)),
  );
  app.get(
    '/models/:model_name/runtime-capabilities',
    { schema: { params, querystring, tags } },
    async ({ params, query }) => runtimeCapabilities(params.model_name, engineOf(query)),
  );
  app.get('/models/:model_name/config', { schema: { params, querystring, tags } }, async ({ params, query }) =>
    config(params.model_name, engineOf(query)),
  );
  app.post(
    '/models/:model_name/config',
    { schema: { params, querystring, body: ConfigRequest, tags } },
    async ({ params, query, body }) =>
      configure(params.model_name, { ...body, runtime: body.runtime || engineOf(query) }),
  );

  app.get('/models/:model_name/fit', { schema: { params, querystring, tags } }, async ({ params, query }) =>
    toFit(params.model_name, await fit.installed(params.model_name, engineOf(query))),
  );
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
    const engine = engineOf(request.query);
    if (view === 'capabilities') return capabilities(name, engine);
    if (view === 'runtime-capabilities') return runtimeCapabilities(name, engine);
    if (view === 'config') return config(name, engine);
    if (view === 'fit') return toFit(name, await fit.installed(name, engine));
    return reply.callNotFound();
  });
  app.post(
    '/models/*',
    {
      schema: { querystring, body: ConfigRequest, hide: true },
      // Before the body is judged: whoever asks for what is not there is told so.
      preValidation: async (request, reply) => {
        const [, view] = split((request.params as { '*': string })['*']);
        return view === 'config' ? undefined : reply.callNotFound();
      },
    },
    async (request) =>
      configure(split((request.params as { '*': string })['*'])[0], {
        ...request.body,
        runtime: request.body.runtime || engineOf(request.query),
      }),
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
