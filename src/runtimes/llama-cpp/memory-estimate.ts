// What a model will take in memory when the embedded engine loads it, from its header alone.
import { type ModelMemory, modelMemory, mostConversations } from '../../models/fit.js';
import type { MemoryNeed } from '../../models/schedule-facts.js';
import { AppError } from '../../shared/errors.js';
import type { GgufHeader } from './gguf-check.js';

const DEFAULT_CONTEXT = 4_096;
const MIN_CONTEXT = 512;

export type LoadPlan = ModelMemory;

export interface PlanWishes {
  /** Tokens; nothing shorter will do then. */
  contextLength?: number | undefined;
  /** At most so many at once. */
  conversations?: number | undefined;
  /** One text at a time, so one sequence is enough. */
  embedding?: boolean;
}

/**
 * The largest plan that fits: first all conversations of the wanted length, then fewer, then shorter.
 * @throws AppError `insufficient_memory` with the figures when even the smallest does not
 */
export function planLoad(header: GgufHeader, availableBytes: number, wishes: PlanWishes = {}): LoadPlan {
  const { lengths, memory } = choices(header, wishes);
  let smallest: LoadPlan | undefined;
  for (const contextLength of lengths) {
    smallest = mostConversations(
      (conversations) => memory(contextLength, conversations),
      availableBytes,
      wishes.embedding ? 1 : wishes.conversations,
    );
    if (smallest.totalBytes <= availableBytes) return smallest;
  }
  const needed = smallest?.totalBytes ?? header.fileBytes;
  throw new AppError(
    'insufficient_memory',
    `The model needs ${megabytes(needed)} MB of memory, but ${megabytes(availableBytes)} MB are available.`,
    {
      details: {
        needed_bytes: needed,
        available_bytes: availableBytes,
        weights_bytes: header.fileBytes,
        cache_bytes: smallest?.cacheBytes ?? 0,
      },
    },
  );
}

/** What the scheduler has to know before it makes room. */
export function memoryNeed(header: GgufHeader, wishes: PlanWishes = {}): MemoryNeed {
  const { lengths, memory } = choices(header, wishes);
  const bytes = (contextLength: number | undefined) => memory(contextLength ?? MIN_CONTEXT, 1).totalBytes;
  return { wantedBytes: bytes(lengths[0]), leastBytes: bytes(lengths.at(-1)) };
}

/** Tokens of one conversation where memory allows; never more than the model was trained for. */
export function wantedContext(header: Pick<GgufHeader, 'contextLength'>, wished: number | undefined): number {
  return Math.min(header.contextLength ?? DEFAULT_CONTEXT, Math.max(MIN_CONTEXT, wished ?? DEFAULT_CONTEXT));
}

/** Context lengths that will do, the wanted one first. */
function choices(header: GgufHeader, { contextLength }: PlanWishes) {
  const wanted = wantedContext(header, contextLength);
  const lengths = [wanted];
  if (contextLength === undefined)
    for (let shorter = Math.floor(wanted / 2); shorter >= MIN_CONTEXT; shorter = Math.floor(shorter / 2))
      lengths.push(shorter);
  return { lengths, memory: (length: number, conversations: number) => modelMemory(header, length, conversations) };
}

const megabytes = (bytes: number): number => Math.round(bytes / 1_048_576);
