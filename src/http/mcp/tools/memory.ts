// memory_*: what is remembered: found, added, listed, forgotten.
import type { McpServer } from '@modelcontextprotocol/server';
import { toIngest } from '../../../chat/memory/ingest.js';
import type { Memory } from '../../../chat/memory/memory.js';
import { placesOf } from '../../../chat/memory/ports.js';
import * as contract from '../../../contract/mcp-tools.js';
import { AppError } from '../../../shared/errors.js';
import { toMemoryHit, toMemoryItem } from '../../routes/memory.js';
import { answering, type ToolCaller } from '../tool-result.js';

export interface MemoryToolsParts extends ToolCaller {
  memory: Memory;
  /** False in a pre-production role that keeps its data. */
  mayDelete: boolean;
}

const LOOKS = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };

export function memoryTools(server: McpServer, { memory, mayDelete, ...caller }: MemoryToolsParts): void {
  const { owner } = caller;
  server.registerTool(
    'memory_search',
    {
      title: 'Search memory',
      description: 'Finds what was remembered and what is in uploaded documents, by words and by meaning.',
      inputSchema: contract.MemorySearchInput,
      outputSchema: contract.MemorySearchResult,
      annotations: LOOKS,
    },
    answering(caller, async ({ query, limit, session_id }, context) => {
      const { hits, degraded } = await memory.search({
        text: query,
        places: placesOf(owner, session_id ?? null),
        limit,
        signal: context.mcpReq.signal,
      });
      return { results: hits.map(toMemoryHit), count: hits.length, degraded };
    }),
  );

  server.registerTool(
    'memory_list',
    {
      title: 'List memory',
      description: 'Everything that is remembered, newest first.',
      inputSchema: contract.MemoryListInput,
      outputSchema: contract.MemoryListResult,
      annotations: LOOKS,
    },
    answering(caller, ({ limit, offset, session_id }) => {
      const { entries, total } = memory.list({
        limit,
        offset,
        scope: session_id ? { kind: 'session', sessionId: session_id } : undefined,
        viewer: owner,
      });
      return { memories: entries.map(toMemoryItem), count: entries.length, total };
    }),
  );

  server.registerTool(
    'memory_remember',
    {
      title: 'Remember',
      description: 'Keeps a text, for every session or for one. The same text is kept once.',
      inputSchema: contract.MemoryRememberInput,
      outputSchema: contract.MemoryRememberResult,
      annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    },
    answering(caller, async ({ text, session_id, pinned, topic }) => {
      const kept = await memory.add({
        ...toIngest({
          text,
          owner,
          category: 'general',
          collection: 'default',
          sessionId: session_id ?? null,
          userId: null,
          pinned,
          type: 'fact',
          scope: null,
          topic: topic ?? null,
          labels: [],
        }),
        source: 'mcp',
      });
      return { memory_id: kept.id, added: kept.added, chunks: kept.chunks };
    }),
  );

  server.registerTool(
    'memory_forget',
    {
      title: 'Forget',
      description: 'Deletes one entry of memory for good.',
      inputSchema: contract.MemoryForgetInput,
      outputSchema: contract.MemoryForgetResult,
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
    },
    answering(caller, async ({ memory_id }) => {
      if (!mayDelete)
        throw new AppError('forbidden', 'Pre-production data is not deleted; ALLOW_DATA_MUTATION is off.');
      const { vectors } = await memory.remove(memory_id, owner);
      return { memory_id, deleted_vectors: vectors };
    }),
  );
}
