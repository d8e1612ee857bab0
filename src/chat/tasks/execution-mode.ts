// What kind of work an intent is and whether it needs a tool. Pure tables.
import type { IntentId } from '../intent.js';

export type ExecutionMode = 'api_skill' | 'browser_automation' | 'gui_fallback';

export interface ExecutionModeDecision {
  mode: ExecutionMode;
  reasonCode: string;
  fallbackReason: string | null;
}

const API_TOOLS = new Set(['calendar', 'github', 'git', 'file', 'fs', 'filesystem']);
const BROWSER_TOOLS = new Set(['browser', 'web', 'http', 'network']);
const DESKTOP_TOOLS = new Set(['desktop', 'vision', 'ghost', 'ui', 'input']);
const BROWSER_INTENTS: ReadonlySet<string> = new Set<IntentId>(['RESEARCH', 'KNOWLEDGE_SEARCH', 'E2E_TESTING']);
const DESKTOP_INTENTS = new Set(['DESKTOP_AUTOMATION', 'VISION_CONTROL']);

/** @param tool  as the person named it, or null */
export function executionMode(tool: string | null, intent: string | null): ExecutionModeDecision {
  const name = tool?.toLowerCase() ?? '';
  if (API_TOOLS.has(name)) return { mode: 'api_skill', reasonCode: 'forced_tool', fallbackReason: null };
  if (BROWSER_TOOLS.has(name)) return { mode: 'browser_automation', reasonCode: 'forced_tool', fallbackReason: null };
  if (DESKTOP_TOOLS.has(name))
    return { mode: 'gui_fallback', reasonCode: 'forced_tool', fallbackReason: `forced_tool:${name}` };
  if (BROWSER_INTENTS.has(intent ?? ''))
    return { mode: 'browser_automation', reasonCode: 'intent', fallbackReason: null };
  if (DESKTOP_INTENTS.has(intent ?? ''))
    return { mode: 'gui_fallback', reasonCode: 'intent', fallbackReason: `intent:${intent}` };
  return { mode: 'api_skill', reasonCode: intent === null ? 'default' : 'intent', fallbackReason: null };
}
