// What the domain knows of models, in the contract's names.
import type { z } from 'zod';
import type * as Discover from '../../contract/discover.js';
import type * as Contract from '../../contract/models.js';
import { feedbackTier } from '../../models/coding-models.js';
import type { Discovered } from '../../models/discovery-choice.js';
import type { EntryFit } from '../../models/entry-fit.js';
import type { ModelManifest } from '../../models/manifest.js';
import type { LoadedModel } from '../../models/model-manager.js';
import type { ModelOperation } from '../../models/model-operation.js';
import type { CatalogEntry, ModelVersion, NewsItem } from '../../models/ports.js';
import type { PreflightVerdict } from '../../models/preflight.js';
import type { RuntimeModel } from '../../runtimes/runtime.js';

const GIGABYTE = 1_073_741_824;

export const iso = (at: number): string => new Date(at).toISOString();
const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at));

export const toOperation = (operation: ModelOperation): z.output<typeof Contract.Operation> => ({
  operation_id: operation.operationId,
  model_name: operation.modelName,
  operation_type: operation.type,
  provider: operation.provider,
  runtime: operation.runtime,
  status: operation.status,
  progress: operation.progress,
  message: operation.message,
  received_bytes: operation.receivedBytes,
  total_bytes: operation.totalBytes,
  bytes_per_second: operation.bytesPerSecond,
  eta_seconds: operation.etaSeconds,
  steps: operation.steps.map(({ name, status, message, startedAt, endedAt }) => ({
    name,
    status,
    message,
    started_at: iso(startedAt),
    ended_at: isoOrNull(endedAt),
  })),
  attempt: operation.attempt,
  started_at: iso(operation.startedAt),
  completed_at: isoOrNull(operation.completedAt),
  error: operation.error?.message ?? null,
  error_code: operation.error?.code ?? null,
  result: operation.result,
});

export const toEntry = (entry: CatalogEntry, installed: boolean): z.output<typeof Contract.CatalogEntry> => ({
  provider: entry.provider,
  model_name: entry.modelName,
  display_name: entry.displayName,
  size_gb: entry.sizeBytes === null ? null : Math.round((entry.sizeBytes / GIGABYTE) * 100) / 100,
  runtime: entry.runtime,
  tags: [...entry.tags],
  downloads: entry.downloads,
  likes: entry.likes,
  description: entry.description,
  licence: entry.licence,
  gated: entry.gated,
  installed,
  quantization: entry.quantization ?? null,
  problem: entry.problem ?? null,
});

export const toDiscovered = (
  { entry, fit, licence, bytes }: Discovered,
  installed: boolean,
): z.output<typeof Discover.DiscoveredModel> => ({
  ...toEntry(entry, installed),
  size_bytes: bytes?.bytes ?? null,
  size_is_estimate: bytes !== null && bytes.bytes !== entry.sizeBytes && fit.basis !== 'header',
  parameters: entry.parameters ?? null,
  sizes: [...(entry.sizes ?? [])],
  licence_class: licence,
  abilities: [...(entry.abilities ?? [])],
  fit: toEntryFit(fit),
});

export const toEntryFit = (fit: EntryFit): z.output<typeof Discover.EntryFit> => ({
  verdict: fit.verdict,
  reason: fit.reason,
  basis: fit.basis,
  of: fit.of,
  context_length: fit.contextLength,
  total_bytes: fit.totalBytes,
  available_bytes: fit.availableBytes,
  tokens_per_second: fit.tokensPerSecond,
  close: fit.close,
});

export const toNews = (item: NewsItem): z.output<typeof Contract.NewsItem> => ({
  title: item.title,
  url: item.url,
  summary: item.summary,
  published_at: item.publishedAt,
  authors: item.authors ? [...item.authors] : null,
  source: item.source,
});

export const toPreflight = ({
  verdict,
  reasons,
  plan,
  disk,
  fit,
  checksumKnown,
}: PreflightVerdict): z.output<typeof Contract.Preflight> => ({
  verdict,
  reasons,
  total_bytes: plan?.totalBytes ?? null,
  files: (plan?.files ?? []).map(({ path, sizeBytes, sha256 }) => ({
    path,
    size_bytes: sizeBytes,
    checksum_known: sha256 !== null,
  })),
  variants: (plan?.variants ?? []).map(({ name, sizeBytes, chosen }) => ({ name, size_bytes: sizeBytes, chosen })),
  licence: plan?.licence ?? null,
  gated: plan?.gated ?? false,
  revision: plan?.revision ?? null,
  checksum_known: checksumKnown,
  disk: {
    free_bytes: disk.freeBytes,
    reserved_bytes: disk.reservedBytes,
    needed_bytes: disk.neededBytes,
    after_bytes: disk.freeBytes === null ? null : disk.freeBytes - disk.reservedBytes - disk.neededBytes,
  },
  fit: fit && {
    verdict: fit.verdict,
    context_length: fit.contextLength,
    total_bytes: fit.totalBytes,
    available_bytes: fit.availableBytes,
    tokens_per_second: fit.tokensPerSecond,
  },
});

export const toVersion = (version: ModelVersion): z.output<typeof Contract.Version> => ({
  version_id: version.versionId,
  model_name: version.modelName,
  runtime: version.runtime,
  digest: version.digest,
  source: version.source,
  created_at: iso(version.createdAt),
  activated_at: isoOrNull(version.activatedAt),
  active: version.active,
  pinned: version.pinned,
  report: version.report ? { ...version.report } : null,
});

export const toLoaded = (model: LoadedModel): z.output<typeof Contract.LoadedModel> => ({
  name: model.name,
  runtime: model.runtime,
  size_bytes: model.sizeBytes,
  vram_bytes: model.vramBytes,
  expires_at: isoOrNull(model.expiresAt),
  idle_left_seconds: model.expiresAt === null ? null : Math.max(0, Math.round((model.expiresAt - Date.now()) / 1_000)),
  planned_bytes: model.plannedBytes ?? null,
  answers: model.answers ?? null,
});

export function toItem(model: RuntimeModel, active: boolean) {
  const tier = feedbackTier(model.name);
  return {
    name: model.name,
    size_gb: model.sizeBytes === null ? null : Math.round((model.sizeBytes / GIGABYTE) * 1_000) / 1_000,
    type: model.format,
    quantization: model.quantization ?? 'unknown',
    path: model.path ?? '',
    source: model.provider,
    provider: model.provider,
    active,
    ...(model.digest ? { digest: model.digest } : {}),
    feedback_loop_ready: tier !== 'not_recommended',
    feedback_loop_tier: tier,
    chat_compatible: model.chat,
    chat_block_reason: model.problem ?? (model.chat ? null : 'embedding_model'),
  };
}

export const toCapabilities = ({ capabilities, probe }: ModelManifest) => ({
  supports_system_role: capabilities.supportsSystemRole,
  supports_function_calling: capabilities.supportsFunctionCalling,
  allowed_roles: capabilities.allowedRoles,
  prompt_template: capabilities.promptTemplate,
  max_context_length: capabilities.maxContextLength,
  quantization: capabilities.quantization,
  ...(capabilities.generationSchema ? { generation_schema: capabilities.generationSchema } : {}),
  measured: probe
    ? {
        at: iso(probe.at),
        runtime: probe.runtime,
        runtime_version: probe.runtimeVersion,
        score: probe.score,
        tokens_per_second: probe.tokensPerSecond,
        memory_bytes: probe.memoryBytes,
        usable_context_tokens: probe.usableContext ?? null,
        takes_pictures: probe.takesPictures ?? null,
        results: probe.results.map(({ name, status, score, reason, durationMs }) => ({
          name,
          status,
          score,
          reason,
          duration_ms: durationMs,
        })),
      }
    : null,
});
