// Tools that read only what this server knows itself: the time, its own parts, and what was remembered.
import { AppError } from '../../shared/errors.js';
import { TOOL_REQUIRED_INTENTS } from '../intent-traits.js';
import type { ServiceMonitor } from '../services/service-monitor.js';
import type { ChatTool, ToolBox } from '../task-ports.js';

const MAX_QUERY_CHARS = 1_000;
const HITS = 5;

export interface MemorySearch {
  search(
    query: string,
    options: { limit: number; sessionId: string | null; signal: AbortSignal },
  ): Promise<readonly { text: string; source: string; labels: readonly string[] }[]>;
}

export class BuiltInTools implements ToolBox {
  readonly #general: readonly ChatTool[];

  constructor(services: ServiceMonitor, memory: MemorySearch | null) {
    this.#general = [timeTool, statusTool(services), ...(memory ? [memoryTool(memory)] : [])];
  }

  /** None of them does the work of an intent that needs a tool of its own. */
  toolsFor({ intent }: { intent: Parameters<ToolBox['toolsFor']>[0]['intent'] }): readonly ChatTool[] {
    return TOOL_REQUIRED_INTENTS.has(intent) ? [] : this.#general;
  }
}

const NOTHING = { type: 'object', properties: {}, additionalProperties: false };

const timeTool: ChatTool = {
  name: 'current_time',
  description: 'The current date and time in UTC.',
  inputSchema: NOTHING,
  run: async () => ({ text: new Date().toISOString(), failed: false, labels: [] }),
};

const statusTool = (services: ServiceMonitor): ChatTool => ({
  name: 'system_status',
  description: 'The parts of this server and whether they are online.',
  inputSchema: NOTHING,
  run: async () => ({
    text: (await services.reports())
      .map(({ name, state, error }) => `${name}: ${state}${error ? ` (${error})` : ''}`)
      .join('\n'),
    failed: false,
    labels: [],
  }),
});

const memoryTool = (memory: MemorySearch): ChatTool => ({
  name: 'search_memory',
  description: 'Searches what was remembered from earlier conversations and stored documents.',
  inputSchema: {
    type: 'object',
    properties: { query: { type: 'string' } },
    required: ['query'],
    additionalProperties: false,
  },
  run: async (input, { signal, sessionId }) => {
    const query = (input as { query?: unknown } | null)?.query;
    if (typeof query !== 'string' || query.trim() === '' || query.length > MAX_QUERY_CHARS)
      throw new AppError('invalid_input', `query must be a text of 1 to ${MAX_QUERY_CHARS} characters.`);
    const hits = await memory.search(query, { limit: HITS, sessionId, signal });
    return {
      text: hits.length === 0 ? 'Nothing was found.' : hits.map(({ text, source }) => `[${source}] ${text}`).join('\n'),
      failed: false,
      labels: [...new Set(hits.flatMap(({ labels }) => labels))],
    };
  },
});
