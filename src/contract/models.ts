// Models: what is asked of /models, and what the pages and the terminal read of the answers.
import { z } from 'zod';
import { broughtWithin } from './lax-values.js';

const Name = z.string().min(1).max(200);

// Names are checked by one pattern, length and all: the original's clients know one kind of refusal for them.
export const InstallRequest = z.object({
  name: z.string().regex(/^[\w\-.:]{1,100}$/, '1 to 100 letters, digits and _ - . : only'),
});

export const RegistryInstallRequest = z
  .object({
    name: z.string().regex(/^[\w\-.:/]{1,200}$/, '1 to 200 letters, digits and _ - . : / only'),
    provider: z.enum(['huggingface', 'ollama', 'python-index', 'local']),
    runtime: z.enum(['vllm', 'ollama', 'onnx', 'llama-cpp']).optional(),
  })
  .transform(({ runtime, ...request }) => ({
    ...request,
    // What is a GGUF file in any case needs no word about who runs it.
    runtime: runtime ?? (/^(python-index|local)$/.test(request.provider) ? 'llama-cpp' : 'vllm'),
  }))
  .superRefine(({ name, provider, runtime }, context) => {
    const issue = (message: string) => context.addIssue({ code: 'custom', message, path: ['name'] });
    if (name.includes('..')) issue('The name must not hold "..".');
    if (provider === 'huggingface') {
      if (!/^[\w\-.]+\/[\w\-.:]+$/.test(name)) issue('Models of Hugging Face are named org/model.');
      if (runtime !== 'vllm' && runtime !== 'llama-cpp')
        context.addIssue({
          code: 'custom',
          message: 'Hugging Face models run in vllm or llama-cpp.',
          path: ['runtime'],
        });
    } else if (provider === 'python-index' || provider === 'local') {
      if (name.includes('/')) issue('Names of these models hold no slash.');
      if (runtime !== 'llama-cpp')
        context.addIssue({ code: 'custom', message: 'GGUF files run in llama-cpp.', path: ['runtime'] });
    } else {
      if (name.includes('/')) issue('Names of Ollama models hold no slash.');
      if (runtime !== 'ollama')
        context.addIssue({ code: 'custom', message: 'Ollama models run in ollama.', path: ['runtime'] });
    }
  });

/** Where two engines hold a model of one name: which one is meant. Both words are taken, because lists call it `provider`. */
export const WhichEngine = z.object({
  runtime: z.string().max(50).optional().describe('the engine whose model is meant, where two have the name'),
  provider: z.string().max(50).optional().describe('the same, as lists of models call it'),
});
export const engineOf = ({ runtime, provider }: z.output<typeof WhichEngine>): string | undefined =>
  runtime || provider || undefined;

/** An action on one installed model. */
export const ModelRequest = z.object({
  name: z.string().min(1).max(300),
  /** Where two engines have the name. */
  runtime: z.string().max(50).nullish(),
});

export const ActivateRequest = z.object({
  name: Name,
  runtime: z.string().min(1).max(50),
  switch_source: z.string().max(50).default('ui'),
  ownership_token: z.string().max(500).nullish(),
});

export const SwitchRequest = z.object({
  name: z.string().min(1).max(300),
  role: z.string().max(50).nullish(),
  /** Where two engines have the name. */
  runtime: z.string().max(50).nullish(),
  switch_source: z.string().max(50).default('ui'),
  ownership_token: z.string().max(500).nullish(),
});

export const ConfigRequest = z.object({
  runtime: z.string().max(50).nullish(),
  params: z
    .record(z.string().max(100), z.unknown())
    .refine((params) => Object.keys(params).length <= 100, { message: 'at most 100 parameters' })
    .default({}),
});

export const OnnxBuildRequest = z.object({
  model_name: Name,
  execution_provider: z.enum(['cuda', 'cpu', 'directml']).default('cuda'),
  precision: z.enum(['int4', 'fp16']).default('int4'),
  output_dir: z.string().max(1_000).nullish(),
  builder_script: z.string().max(1_000).nullish(),
});

export const CatalogQuery = z.object({
  provider: z.string().max(50).optional(),
  limit: broughtWithin(20, 100),
});
export const TrendingQuery = z.object({
  provider: z.string().max(50),
  limit: broughtWithin(12, 100),
});
export const SearchQuery = z.object({
  query: z.string().min(2).max(200),
  provider: z.string().max(50).default('huggingface'),
  limit: broughtWithin(10, 100),
  page: broughtWithin(1, 1_000_000),
});
export const NewsQuery = z.object({
  provider: z.string().max(50).default('huggingface'),
  limit: broughtWithin(5, 50),
  // Whatever is not this is the other, as with the original.
  type: z
    .string()
    .transform((type) => (type === 'papers' ? ('papers' as const) : ('blog' as const)))
    .default('blog'),
  // What is no month means the current one.
  month: z
    .string()
    .transform((month) => (/^\d{4}-(?:0[1-9]|1[0-2])$/.test(month) ? month : ''))
    .default(''),
  lang: z.string().max(10).default('en'),
});

export const CatalogEntry = z.object({
  provider: z.string(),
  model_name: z.string(),
  display_name: z.string(),
  size_gb: z.number().nullable(),
  runtime: z.string(),
  tags: z.array(z.string()),
  downloads: z.number().nullable(),
  likes: z.number().nullable(),
  description: z.string().nullable(),
  licence: z.string().nullable(),
  gated: z.boolean(),
  installed: z.boolean(),
  quantization: z.string().nullable(),
  problem: z.string().nullable(),
});

export const NewsItem = z.object({
  title: z.string(),
  url: z.string(),
  summary: z.string(),
  published_at: z.string().nullable(),
  authors: z.array(z.string()).nullable(),
  source: z.string(),
});

export const Operation = z.object({
  operation_id: z.string(),
  model_name: z.string(),
  operation_type: z.string(),
  provider: z.string(),
  runtime: z.string(),
  status: z.enum(['pending', 'in_progress', 'completed', 'failed', 'cancelled', 'interrupted']),
  progress: z.number(),
  message: z.string(),
  received_bytes: z.number(),
  total_bytes: z.number().nullable(),
  bytes_per_second: z.number().nullable(),
  eta_seconds: z.number().nullable(),
  steps: z.array(
    z.object({
      name: z.string(),
      status: z.enum(['running', 'done', 'failed']),
      message: z.string().nullable(),
      started_at: z.string(),
      ended_at: z.string().nullable(),
    }),
  ),
  attempt: z.number(),
  started_at: z.string(),
  completed_at: z.string().nullable(),
  error: z.string().nullable(),
  error_code: z.string().nullable(),
  result: z.record(z.string(), z.unknown()).nullable(),
});

export const Preflight = z.object({
  verdict: z.enum(['ok', 'warn', 'no']),
  reasons: z.array(z.object({ code: z.string(), message: z.string() })),
  total_bytes: z.number().nullable(),
  files: z.array(z.object({ path: z.string(), size_bytes: z.number(), checksum_known: z.boolean() })),
  /** Quantizations of the model, smallest first: what may stand behind the colon of its name. Empty where there is no choice. */
  variants: z.array(z.object({ name: z.string(), size_bytes: z.number().nullable(), chosen: z.boolean() })),
  licence: z.string().nullable(),
  gated: z.boolean(),
  revision: z.string().nullable(),
  /** Null where there is no plan, or an engine fetches and verifies by itself. */
  checksum_known: z.boolean().nullable(),
  disk: z.object({
    /** Null where nobody here can see the disk. */
    free_bytes: z.number().nullable(),
    reserved_bytes: z.number(),
    needed_bytes: z.number(),
    /** What would be left beside everything that is under way; below zero it is refused. */
    after_bytes: z.number().nullable(),
  }),
  /** Will it run here, and up to which context length? Null where nobody can tell before the download. */
  fit: z
    .object({
      verdict: z.enum(['yes', 'tight', 'no']),
      context_length: z.number(),
      total_bytes: z.number(),
      available_bytes: z.number(),
      tokens_per_second: z.number().nullable(),
    })
    .nullable(),
});

export const Version = z.object({
  version_id: z.string(),
  model_name: z.string(),
  runtime: z.string(),
  digest: z.string().nullable(),
  source: z.string().nullable(),
  created_at: z.string(),
  activated_at: z.string().nullable(),
  active: z.boolean(),
  pinned: z.boolean(),
  report: z.record(z.string(), z.unknown()).nullable(),
});

export const LoadedModel = z.object({
  name: z.string(),
  runtime: z.string(),
  size_bytes: z.number().nullable(),
  vram_bytes: z.number().nullable(),
  expires_at: z.string().nullable(),
  idle_left_seconds: z.number().nullable(),
  planned_bytes: z.number().nullable(),
  answers: z.number().int().nullable(),
});

export const KeepAliveRequest = z.object({
  name: z.string().min(1).max(300),
  /** Where two engines have the name. */
  runtime: z.string().max(50).nullish(),
  keep_alive: z.string().max(30).describe('-1, 0, seconds, or with a unit (90s, 10m, 2h); empty = LLM_KEEP_ALIVE'),
});

export const ForeignModel = z.object({
  id: z.string(),
  name: z.string(),
  application: z.string(),
  path: z.string(),
  size_bytes: z.number(),
  /** Its name here, once it was taken over. */
  adopted_as: z.string().nullable(),
});

export const AdoptRequest = z.object({ id: z.string().min(1).max(4_096), name: Name.regex(/^[\w\-.]+$/).optional() });
