// Room for one more model: which of those in memory would have to go for it, or why none of that would help. Pure.
import type { HeldModel, MemoryNeed, ScheduleFacts } from './schedule-facts.js';

export type RoomPlan =
  | { kind: 'room'; evict: readonly HeldModel[]; roomBytes: number }
  /** Nobody goes for a model that would not fit anyway. */
  | { kind: 'no-room'; availableBytes: number; reason: string };

/**
 * Whoever was used longest ago goes first, the idle before the busy, and no more of them than needed.
 *
 * @param ready  everything in memory; nothing is being loaded or unloaded
 * @param secondTry  its load ran out of memory, whatever was measured: all that is idle has to go
 */
export function planRoom(
  model: string,
  needs: MemoryNeed,
  ready: readonly HeldModel[],
  { freeBytes, limits }: { freeBytes: number; limits: ScheduleFacts['limits'] },
  secondTry: boolean,
): RoomPlan {
  const usedBytes = ready.reduce((sum, { bytes }) => sum + bytes, 0);
  const budget = limits.memoryBytes > 0 ? limits.memoryBytes - usedBytes : Number.POSITIVE_INFINITY;
  const evictable = ready
    .filter(({ pinned }) => !pinned)
    .sort((a, b) => Number(a.holds > 0) - Number(b.holds > 0) || a.lastUsedAt - b.lastUsedAt);
  const roomWithout = (gone: readonly HeldModel[]) => ({
    places: limits.loadedModels === 0 || ready.length - gone.length < limits.loadedModels,
    bytes: Math.min(
      freeBytes + gone.reduce((sum, { freesBytes }) => sum + freesBytes, 0),
      budget + gone.reduce((sum, { bytes }) => sum + bytes, 0),
    ),
  });
  const most = roomWithout(evictable);
  if (!most.places || most.bytes < needs.leastBytes) {
    const pinned = ready.filter((held) => held.pinned).map(({ name }) => name);
    const kept = pinned.length > 0 ? `; pinned and kept: ${pinned.join(', ')}` : '';
    const reason = most.places
      ? `${model} needs ${megabytes(needs.leastBytes)} MB of memory, but no more than ${megabytes(most.bytes)} MB can be had${kept}.`
      : `${model} finds no place among the ${ready.length} models that are loaded${kept}.`;
    return { kind: 'no-room', availableBytes: Math.max(0, Math.round(most.bytes)), reason };
  }
  if (secondTry) {
    const idle = evictable.filter(({ holds }) => holds === 0);
    return { kind: 'room', evict: idle, roomBytes: roomWithout(idle).bytes };
  }
  const enough = Math.min(needs.wantedBytes, most.bytes);
  const suffices = ({ places, bytes }: { places: boolean; bytes: number }) => places && bytes >= enough;
  let evict: HeldModel[] = [];
  while (!suffices(roomWithout(evict)) && evict.length < evictable.length) evict = evictable.slice(0, evict.length + 1);
  // The list is by age, and an old small one may have been taken in vain: whoever is not needed stays.
  for (const model of [...evict].reverse()) {
    const fewer = evict.filter((other) => other !== model);
    if (suffices(roomWithout(fewer))) evict = fewer;
  }
  return { kind: 'room', evict, roomBytes: roomWithout(evict).bytes };
}

export const megabytes = (bytes: number): number => Math.round(Math.max(0, bytes) / 1_048_576);
