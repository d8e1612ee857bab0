// Would a model that is offered somewhere run on this machine? From what a listing says, or from its header. Pure.
import type { Place, UnknownBecause } from './discovery-terms.js';
import { estimateFit, type MachineFacts, type ModelShape, modelBytes } from './fit.js';
import { activeParametersOf, parametersOf } from './parameter-count.js';
import type { CatalogEntry } from './ports.js';
import { fitVerdict } from './preflight.js';

export interface EntryFit {
  verdict: Place;
  reason: UnknownBecause | null;
  /** `listing` is an estimate from a size or a count of weights; `header` is what the engine would plan with. */
  basis: 'listing' | 'header';
  /** The size or quantization that was judged, where the model comes in several. */
  of: string | null;
  /** Tokens. */
  contextLength: number | null;
  totalBytes: number | null;
  availableBytes: number;
  tokensPerSecond: number | null;
  /** Near enough to a border that its header may say otherwise. */
  close: boolean;
}

/** What people install where nothing else is asked for, and so what a count of weights is turned into bytes by. */
export const USUAL_QUANTIZATION = 'Q4_K_M';
/** Reading speed: below it an answer is waited for. */
const SLOW_TOKENS_PER_SECOND = 5;
/** Weights a processor reads in a second, where nothing was measured: two channels of ordinary memory. */
const USUAL_BYTES_PER_SECOND = 25e9;
const VLLM_BYTES_PER_WEIGHT = 2;
/** vLLM's own working memory and a cache beside the weights. */
const VLLM_SPARE = 1.2;
const CLOSE = { from: 0.6, to: 1.6 };

/** Bytes of weights as far as the listing tells, and of which size or quantization they are. */
export function offeredBytes(entry: CatalogEntry): { bytes: number; of: string | null } | null {
  if (entry.shape) return { bytes: entry.shape.fileBytes, of: entry.shape.quantization };
  if (entry.sizeBytes !== null && entry.sizeBytes > 0)
    return { bytes: entry.sizeBytes, of: entry.quantization ?? null };
  const parameters = entry.parameters ?? parametersOf(entry.modelName);
  if (!parameters) return null;
  if (entry.runtime === 'vllm') return { bytes: parameters * VLLM_BYTES_PER_WEIGHT, of: null };
  return { bytes: modelBytes(parameters, USUAL_QUANTIZATION), of: entry.sizes?.[0] ?? USUAL_QUANTIZATION };
}

/** @param here  whether its engine runs on this machine, or would */
export function estimateEntry(entry: CatalogEntry, machine: MachineFacts, here: boolean): EntryFit {
  const unknown = (reason: UnknownBecause) => unknownFit(reason, machine);
  if (entry.problem) return unknown('unusable');
  if (!here) return unknown('elsewhere');
  const offered = offeredBytes(entry);
  if (entry.runtime === 'vllm') return inVllm(offered?.bytes ?? null, machine);
  if (entry.shape) return judgeShape(entry.shape, machine, { name: entry.modelName, of: entry.shape.quantization });
  if (!offered) return unknown('size_unknown');
  const parameters = entry.parameters ?? parametersOf(entry.modelName) ?? parametersOfSize(offered.bytes);
  const shape = { ...usualShape(parameters), fileBytes: offered.bytes };
  return { ...judgeShape(shape, machine, { name: entry.modelName, of: offered.of }), basis: 'listing' };
}

/** What the engine would plan, and how fast it would be. */
export function judgeShape(
  shape: ModelShape,
  machine: MachineFacts,
  { name, of }: { name: string; of: string | null },
): EntryFit {
  const estimates = estimateFit(shape, machine);
  const best = fitVerdict({ estimates, machine });
  if (!best) return unknownFit('size_unknown', machine);
  const row = estimates.find(({ contextLength }) => contextLength === best.contextLength);
  const inGpu = row?.gpuLayers != null && shape.layers !== null && row.gpuLayers >= shape.layers;
  const speed = (machine.bytesPerSecond ?? USUAL_BYTES_PER_SECOND) / bytesPerToken(shape, name);
  // The smallest plan decides about the border: how long a context may be is another question.
  const needed = (estimates[0]?.totalBytes ?? 0) / Math.max(1, machine.availableBytes);
  return {
    verdict: inGpu ? 'good' : best.verdict !== 'yes' ? best.verdict : speed < SLOW_TOKENS_PER_SECOND ? 'slow' : 'good',
    reason: null,
    basis: 'header',
    of,
    contextLength: best.contextLength,
    totalBytes: best.totalBytes,
    availableBytes: machine.availableBytes,
    tokensPerSecond: inGpu || machine.bytesPerSecond === null ? null : Math.round(speed * 10) / 10,
    close: needed > CLOSE.from && needed < CLOSE.to,
  };
}

export const unknownFit = (
  reason: UnknownBecause,
  { availableBytes }: Pick<MachineFacts, 'availableBytes'>,
): EntryFit => ({
  verdict: 'unknown',
  reason,
  basis: 'listing',
  of: null,
  contextLength: null,
  totalBytes: null,
  availableBytes,
  tokensPerSecond: null,
  close: reason === 'size_unknown',
});

function inVllm(bytes: number | null, machine: MachineFacts): EntryFit {
  if (machine.vramFreeBytes === null) return unknownFit('needs_gpu', machine);
  if (bytes === null) return unknownFit('size_unknown', machine);
  const free = machine.vramFreeBytes;
  return {
    ...unknownFit('size_unknown', { availableBytes: free }),
    verdict: bytes * VLLM_SPARE <= free ? 'good' : bytes <= free ? 'tight' : 'no',
    reason: null,
    totalBytes: Math.round(bytes * VLLM_SPARE),
    close: false,
  };
}

/** Every token reads the weights it passes through: all of them, or those of a mixture's chosen experts. */
function bytesPerToken({ fileBytes, parameters }: ModelShape, name: string): number {
  const active = activeParametersOf(name);
  return active === null || parameters <= active ? fileBytes : fileBytes * (active / parameters);
}

const parametersOfSize = (bytes: number): number => bytes / (modelBytes(1e9, USUAL_QUANTIZATION) / 1e9);

/**
 * Layers and heads as models of that size have them: within a third of what Llama 3 (1B, 8B, 70B), Qwen 2.5 and SmolLM2 keep
 * for a token. The cache is the smaller part of the sum at the contexts that are compared.
 */
function usualShape(parameters: number): Omit<ModelShape, 'fileBytes'> {
  const billions = parameters / 1e9;
  const perHead = billions < 2 ? 64 : 128;
  return {
    layers: Math.max(1, Math.round(17 * billions ** 0.35)),
    kvHeads: 8,
    keyLength: perHead,
    valueLength: perHead,
    contextLength: null,
    parameters,
    quantization: null,
    vocabulary: null,
  };
}
