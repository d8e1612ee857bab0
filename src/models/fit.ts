// "Will it run here?", from the header alone. Pure: shape and machine in, figures out; corrected by what was measured.

export interface ModelShape {
  fileBytes: number;
  /** Counts from the header; null where it does not say. */
  layers: number | null;
  kvHeads: number | null;
  keyLength: number | null;
  valueLength: number | null;
  /** Tokens the model was trained for. */
  contextLength: number | null;
  parameters: number;
  quantization: string | null;
  /** Tokens it knows; null where the header does not say. */
  vocabulary: number | null;
}

export interface MachineFacts {
  availableBytes: number;
  totalBytes: number;
  /** Free video memory; null without a GPU. */
  vramFreeBytes: number | null;
  /** Bytes of weights this machine reads per second while it generates; null until something was measured. */
  bytesPerSecond: number | null;
  /** Conversations the engine is set to hold at once. */
  conversations?: number;
}

/** Measured divided by estimated. */
export interface Correction {
  memory: number;
  speed: number;
}

export interface Fit {
  /** Tokens of one conversation. */
  contextLength: number;
  /** At once, as the embedded engine would plan it: as many as fit, at most four. */
  conversations: number;
  weightsBytes: number;
  cacheBytes: number;
  overheadBytes: number;
  totalBytes: number;
  verdict: 'yes' | 'tight' | 'no';
  /** Layers that fit into video memory; null without a GPU. */
  gpuLayers: number | null;
  tokensPerSecond: number | null;
}

const CONTEXTS = [2_048, 4_096, 8_192, 16_384, 32_768, 131_072];
/** Conversations the embedded engine holds at once where nothing else is set. */
const MAX_CONVERSATIONS = 4;
/**
 * What the inference process takes beside weights and cache: Node, the native library, buffers for a batch; and for each
 * token a model knows, in the library and in its binding. Measured with node-llama-cpp 3.22 on SmolLM2-135M (49,152 tokens)
 * and Gemma 3 270M (262,144) at contexts from 512 to 8,192; the decision note on the scheduler has the table.
 */
const PROCESS_BYTES = 235 * 1_048_576;
const BYTES_PER_KNOWN_TOKEN = 1_000;
const USUAL_VOCABULARY = 32_768;
/** What an engine takes of video memory beside its layers. */
const VRAM_OVERHEAD_BYTES = 64 * 1_048_576;
const CACHE_BYTES_PER_VALUE = 2;
/** Beyond this share of what is free the rest of the machine begins to suffer. */
const TIGHT = 0.85;
/** Bits per weight with the scales of a block. @see llama.cpp, table of quantization types */
const BITS: Readonly<Record<string, number>> = {
  Q2_K: 2.96,
  Q3_K_M: 3.91,
  Q4_0: 4.55,
  Q4_K_M: 4.85,
  Q5_K_M: 5.69,
  Q6_K: 6.56,
  Q8_0: 8.5,
  F16: 16,
};

/** Bytes of so many weights at a quantization of the table. */
export const modelBytes = (parameters: number, quantization: string): number =>
  Math.round((parameters * (BITS[quantization] ?? 16)) / 8);

/**
 * Memory of the attention cache for one token, keys and values of all layers at f16; 0 where the header does not say.
 * Assumes that every layer keeps a full cache. @see GGUF specification: `block_count`, `attention.head_count_kv`,
 * `attention.key_length`
 */
export function cacheBytesPerToken({
  layers,
  kvHeads,
  keyLength,
  valueLength,
}: Pick<ModelShape, 'layers' | 'kvHeads' | 'keyLength' | 'valueLength'>): number {
  if (!layers || !kvHeads || !keyLength || !valueLength) return 0;
  return layers * kvHeads * (keyLength + valueLength) * CACHE_BYTES_PER_VALUE;
}

export interface ModelMemory {
  contextLength: number;
  conversations: number;
  weightsBytes: number;
  cacheBytes: number;
  overheadBytes: number;
  totalBytes: number;
}

type MemoryShape = Pick<ModelShape, 'fileBytes' | 'layers' | 'kvHeads' | 'keyLength' | 'valueLength' | 'vocabulary'>;

/** The one formula: what the engine reserves by it is what "Will it run here?" shows. */
export function modelMemory(
  shape: MemoryShape,
  contextLength: number,
  conversations: number,
  weightsBytes = shape.fileBytes,
): ModelMemory {
  const cacheBytes = cacheBytesPerToken(shape) * contextLength * conversations;
  const overheadBytes = PROCESS_BYTES + BYTES_PER_KNOWN_TOKEN * (shape.vocabulary ?? USUAL_VOCABULARY);
  return {
    contextLength,
    conversations,
    weightsBytes,
    cacheBytes,
    overheadBytes,
    totalBytes: weightsBytes + cacheBytes + overheadBytes,
  };
}

/** Four conversations, else two, else one: the most that fit, or one where none does. */
export function mostConversations(
  memory: (conversations: number) => ModelMemory,
  availableBytes: number,
  limit = MAX_CONVERSATIONS,
): ModelMemory {
  for (let conversations = limit; conversations > 1; conversations = Math.floor(conversations / 2)) {
    const planned = memory(conversations);
    if (planned.totalBytes <= availableBytes) return planned;
  }
  return memory(1);
}

/** One row per context length up to the one the model was trained for. */
export function estimateFit(shape: ModelShape, machine: MachineFacts, correction?: Correction): Fit[] {
  const trained = shape.contextLength ?? CONTEXTS[1] ?? 4_096;
  const wanted = CONTEXTS.filter((length) => length < trained);
  return [...wanted, trained].map((contextLength) => fitAt(shape, shape.fileBytes, contextLength, machine, correction));
}

/** The same model at other quantizations, at one context length; sizes are computed from its parameters. */
export function estimateQuantizations(
  shape: ModelShape,
  contextLength: number,
  machine: MachineFacts,
  correction?: Correction,
): (Fit & { quantization: string })[] {
  if (shape.parameters <= 0) return [];
  return Object.keys(BITS).map((quantization) => ({
    quantization,
    ...fitAt(shape, modelBytes(shape.parameters, quantization), contextLength, machine, correction),
  }));
}

/**
 * What the next estimate has to be multiplied with. Half way towards the measurement would keep half of the error; a
 * measurement is a fact, so all of it is taken, within bounds that keep one odd reading from spoiling the rest.
 */
export function correctionFrom(
  estimated: { totalBytes: number; tokensPerSecond: number | null },
  measured: { memoryBytes: number | null; tokensPerSecond: number | null },
  former: Correction = { memory: 1, speed: 1 },
): Correction {
  const ratio = (now: number | null, then: number | null, kept: number) =>
    now === null || then === null || now <= 0 || then <= 0 ? kept : Math.min(4, Math.max(0.25, kept * (now / then)));
  return {
    memory: ratio(measured.memoryBytes, estimated.totalBytes, former.memory),
    speed: ratio(measured.tokensPerSecond, estimated.tokensPerSecond, former.speed),
  };
}

function fitAt(
  shape: ModelShape,
  weightsBytes: number,
  contextLength: number,
  { availableBytes, vramFreeBytes, bytesPerSecond, conversations: limit }: MachineFacts,
  correction: Correction = { memory: 1, speed: 1 },
): Fit {
  const { layers } = shape;
  const planned = mostConversations(
    (conversations) => modelMemory(shape, contextLength, conversations, weightsBytes),
    // Corrected, so that the plan that is shown is the one that will fit.
    availableBytes / correction.memory,
    limit,
  );
  const totalBytes = Math.round(planned.totalBytes * correction.memory);
  const perLayer = layers ? (weightsBytes + planned.cacheBytes) / layers : 0;
  return {
    ...planned,
    totalBytes,
    verdict: totalBytes > availableBytes ? 'no' : totalBytes > availableBytes * TIGHT ? 'tight' : 'yes',
    gpuLayers:
      vramFreeBytes === null || perLayer === 0
        ? null
        : Math.min(layers ?? 0, Math.max(0, Math.floor((vramFreeBytes - VRAM_OVERHEAD_BYTES) / perLayer))),
    // Every token reads all weights once, so memory bandwidth is what limits it.
    tokensPerSecond:
      bytesPerSecond === null || weightsBytes === 0
        ? null
        : Math.round((bytesPerSecond / weightsBytes) * correction.speed * 10) / 10,
  };
}
