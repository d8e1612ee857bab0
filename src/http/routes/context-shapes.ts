// What an answer knew beyond its question: the memories as they are now, so that what was forgotten since is not told.
import type { z } from 'zod';
import type { RequestTrace } from '../../chat/ports.js';
import type { ContextReport } from '../../contract/history.js';

const SHOWN_CHARS = 1_000;

export type MemoryLookup = (id: string) => { kind: string; source: string; text: string } | undefined;

export function toContextReport(
  { contextUsed, contextLimits }: Pick<RequestTrace, 'contextUsed' | 'contextLimits'>,
  lookup: MemoryLookup,
): z.output<typeof ContextReport> | null {
  if (!contextUsed) return null;
  const recalled = (ids: readonly string[]) =>
    ids.map((id) => {
      const found = lookup(id);
      return {
        id,
        kind: found?.kind ?? null,
        source: found?.source ?? null,
        text: found ? found.text.slice(0, SHOWN_CHARS) : null,
      };
    });
  return {
    memories: recalled(contextUsed.memoryEntries),
    lessons: recalled(contextUsed.lessons),
    dropped: (contextLimits?.dropped ?? []).map(({ part, tokens }) => ({ part, tokens })),
    degraded: contextLimits?.degraded ?? null,
  };
}
