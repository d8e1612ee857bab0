// What Venom's own MCP tools take and give. Shapes that the HTTP API has too are the same here.
import { z } from 'zod';
import { MemoryItem, MemorySearchResponse } from './memory.js';
import { CatalogEntry, LoadedModel, Operation } from './models.js';
import { MessageItem, SessionItem } from './sessions.js';
import { SessionId } from './simple-chat.js';
import { Uuid } from './uuid.js';

const ModelName = z.string().min(1).max(300).describe('as models_list or models_search names it');
const Page = { limit: z.int().min(1).max(200).default(50), offset: z.int().min(0).max(1_000_000).default(0) };

/** For tools that take nothing. */
export const NoInput = z.object({});

export const ModelsListResult = z.object({
  models: z.array(
    z.object({
      name: z.string(),
      provider: z.string(),
      size_gb: z.number().nullable(),
      quantization: z.string(),
      active: z.boolean(),
      chat_compatible: z.boolean(),
    }),
  ),
  count: z.int(),
  active_model: z.string().nullable(),
  unavailable: z.array(z.object({ provider: z.string(), error: z.string() })),
});
export const ModelsSearchInput = z.object({
  query: z.string().min(2).max(200),
  provider: z
    .enum(['all', 'huggingface', 'ollama', 'python-index', 'local'])
    .default('huggingface')
    .describe('`all` asks nobody and answers from what is known already'),
  limit: z.int().min(1).max(50).default(10),
  page: z.int().min(1).max(100).default(1),
});
export const ModelsSearchResult = z.object({
  models: z.array(CatalogEntry),
  count: z.int(),
  total: z.int(),
  stale: z.boolean(),
  error: z.string().nullable(),
});
export const ModelInput = z.object({ name: ModelName });
export const ModelsShowResult = z.looseObject({ name: z.string(), provider: z.string(), active: z.boolean() });
export const ModelsFitInput = z.object({
  name: ModelName,
  provider: z
    .enum(['huggingface', 'ollama', 'python-index', 'local'])
    .optional()
    .describe('where it would come from; left out for a model that is installed'),
});
export const ModelsFitResult = z.looseObject({
  model_name: z.string(),
  file_bytes: z.number(),
  estimates: z.array(z.looseObject({ context_length: z.number(), total_bytes: z.number(), verdict: z.string() })),
});
export const ModelsInstallInput = z.object({
  name: ModelName,
  provider: z.enum(['huggingface', 'ollama', 'python-index', 'local']).default('huggingface'),
  runtime: z.enum(['llama-cpp', 'ollama', 'vllm']).optional().describe('chosen by the provider where it is left out'),
  wait: z.boolean().default(false).describe('answer at its end, with progress meanwhile, instead of at once'),
});
export const ModelsActivateInput = z.object({
  name: ModelName,
  runtime: z.string().min(1).max(50).optional().describe('where two engines have the name'),
});
export const ModelsLoadedResult = z.object({ models: z.array(LoadedModel) });

export const OperationResult = z.object({ operation: Operation });
export const OperationsListInput = z.object({ limit: z.int().min(1).max(200).default(20) });
export const OperationsListResult = z.object({ operations: z.array(Operation), count: z.int() });
export const OperationInput = z.object({ operation_id: z.string().min(1).max(100) });

export const ChatInput = z.object({
  message: z.string().min(1).max(50_000),
  mode: z
    .enum(['direct', 'normal', 'complex'])
    .default('direct')
    .describe('direct: one model, at once. normal: intents, memory and tools. complex: a plan with steps'),
  session_id: SessionId.optional().describe('goes on with this session; left out, nothing is kept of a direct answer'),
  model: ModelName.optional().describe('direct mode only; else the active one'),
  max_tokens: z.int().min(1).max(1_000_000).optional(),
  temperature: z.number().min(0).max(2).optional(),
});
export const ChatResult = z.object({
  answer: z.string(),
  status: z.enum(['complete', 'cancelled', 'interrupted', 'failed']),
  mode: z.enum(['direct', 'normal', 'complex']),
  request_id: z.string(),
  session_id: z.string().nullable(),
  model: z.string().nullable(),
});

export const MemorySearchInput = z.object({
  query: z.string().min(1).max(10_000),
  limit: z.int().min(1).max(50).default(5),
  session_id: SessionId.optional().describe('looks into this session too'),
});
export const MemorySearchResult = MemorySearchResponse.pick({ results: true, count: true, degraded: true });
export const MemoryRememberInput = z.object({
  text: z.string().min(1).max(200_000),
  session_id: SessionId.optional().describe('for this session alone'),
  pinned: z.boolean().default(false).describe('goes into the context of every turn'),
  topic: z.string().max(500).optional(),
});
export const MemoryRememberResult = z.object({ memory_id: z.string(), added: z.boolean(), chunks: z.int() });
export const MemoryForgetInput = z.object({ memory_id: Uuid });
export const MemoryForgetResult = z.object({ memory_id: z.string(), deleted_vectors: z.int() });
export const MemoryListInput = z.object({ ...Page, session_id: SessionId.optional() });
export const MemoryListResult = z.object({ memories: z.array(MemoryItem), count: z.int(), total: z.int() });

export const TranslateInput = z.object({
  text: z.string().min(1).max(200_000),
  target_lang: z.string().min(1).max(35).default('en'),
  source_lang: z.string().min(1).max(35).optional(),
  allow_any: z.boolean().default(false).describe('languages beside en, pl and de'),
});
export const TranslateResult = z.object({
  translated_text: z.string(),
  target_lang: z.string(),
  source_lang: z.string().nullable(),
  warnings: z.array(z.object({ chunk: z.number(), code: z.string(), message: z.string() })),
});

export const SessionsListInput = z.object({ ...Page, query: z.string().max(200).default('').describe('text to find') });
export const SessionsListResult = z.object({ sessions: z.array(SessionItem), count: z.int(), total: z.int() });
export const SessionsReadInput = z.object({
  session_id: SessionId,
  limit: z.int().min(1).max(500).default(50),
  before_seq: z.int().min(0).optional().describe('`seq` of the first message of the page before'),
});
export const SessionsReadResult = z.object({
  session: SessionItem,
  messages: z.array(MessageItem),
  has_more: z.boolean(),
});
