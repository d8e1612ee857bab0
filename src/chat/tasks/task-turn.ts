// What one run of a task carries along: the task, what its text says once commands are taken out, and what was decided.
import type { AgentDefinition } from '../agents/agent.js';
import type { IntentDecision, IntentId, Language } from '../intent.js';
import type { ParsedText, SlashCommands, ToolPlace } from '../task-ports.js';
import type { LiveTask } from './live-task.js';
import type { TaskRequest } from './task.js';
import type { TaskModel } from './task-model.js';

export interface TaskTurn {
  live: LiveTask;
  /** The text without commands. */
  text: string;
  tool: string | null;
  provider: string | null;
}

export interface DecidedTurn extends TaskTurn {
  intent: IntentId;
  /** What the person meant, where `intent` had to become UNSUPPORTED_TASK. */
  wanted: IntentId;
  source: IntentDecision['source'];
  /** Of the person's words; what they prefer is the request's. */
  language: Language | null;
  toolRequired: boolean;
  /** Set once a model is asked: also a turn that fails has asked somebody, and has cost something. */
  asked: Pick<TaskModel, 'usage' | 'receipt' | 'model'> | null;
}

/** What came of a run that did not fail. */
export interface TurnOutcome {
  text: string;
  agent: AgentDefinition;
  labels: readonly string[];
}

/** The UI has taken the commands out itself where it forces something. */
export const readText = ({ content, forcedTool, forcedProvider }: TaskRequest, slash: SlashCommands): ParsedText =>
  forcedTool !== null || forcedProvider !== null
    ? { text: content, tool: null, provider: null, clear: false, unknown: [] }
    : slash.parse(content);

/** Whose tools, permissions and files a task has. */
export const placeOfTools = ({ owner, sessionId }: TaskRequest): ToolPlace => ({ owner: owner ?? null, sessionId });

export const toTurn = (live: LiveTask, parsed: ParsedText): TaskTurn => ({
  live,
  text: parsed.text,
  tool: live.task.request.forcedTool ?? parsed.tool,
  provider: live.task.request.forcedProvider ?? parsed.provider,
});
