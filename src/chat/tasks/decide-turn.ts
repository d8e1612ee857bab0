// The first half of a turn: forced routes, the intent, the kind of work, and whether its tool exists.
import { procedureOf } from '../agents/procedures/by-intent.js';
import { INTENTS, type IntentDecision, type IntentId, type IntentRecognizer } from '../intent.js';
import { TEMPLATE_INTENTS, TOOL_REQUIRED_INTENTS } from '../intent-traits.js';
import type { SlashCommands, ToolBox, ToolRequest } from '../task-ports.js';
import type { RequestTracer } from '../tracing/request-tracer.js';
import { executionMode } from './execution-mode.js';
import { logLine } from './log-lines.js';
import { TaskError } from './task-failure.js';
import { type DecidedTurn, placeOfTools, type TaskTurn } from './task-turn.js';

export interface DecideParts {
  intents: IntentRecognizer;
  slash: SlashCommands;
  toolBox: ToolBox;
  tracer: RequestTracer;
}

const GATE = 'DecisionGate';
/** As a tool of a server is named in a text; no name is longer. */
const TOOLS_NAME = /\b[A-Za-z0-9][A-Za-z0-9_-]{0,61}?__[A-Za-z0-9_-]{1,62}/g;
/** Of one text. */
const NAMES_TRIED = 20;

/** @throws TaskError `forced_tool_unknown`, `forced_intent_unknown` */
export async function decideTurn(
  turn: TaskTurn,
  { intents, slash, toolBox, tracer }: DecideParts,
): Promise<DecidedTurn> {
  const { live, text, tool, provider } = turn;
  const { id, request } = live.task;
  const forcedIntent = request.forcedIntent;
  if (tool !== null || provider !== null || forcedIntent !== null) {
    const route = { tool, provider, intent: forcedIntent };
    live.update({ forced_route: route });
    tracer.step(id, GATE, 'forced_route', JSON.stringify(route));
  }
  const decision = await intentOf(turn, forcedIntent, { intents, slash, toolBox });
  live.update({
    intent_debug: {
      source: decision.source,
      language: decision.language ?? 'unknown',
      score: decision.score,
      top2: decision.top2,
      ...(decision.source === 'forced' ? { intent: decision.intent } : {}),
    },
  });
  tracer.step(id, GATE, 'intent_debug', JSON.stringify({ ...decision }));
  const mode = executionMode(tool, decision.intent);
  live.update({
    execution_mode: mode.mode,
    execution_mode_reason_code: mode.reasonCode,
    fallback_reason: mode.fallbackReason,
  });
  tracer.step(id, GATE, 'execution_mode_selector', JSON.stringify(mode));
  // Who names one very tool wants that to be called.
  const toolRequired = TOOL_REQUIRED_INTENTS.has(decision.intent) || (tool !== null && isToolsName(turn, toolBox));
  live.update({ tool_requirement: { required: toolRequired, intent: decision.intent } });
  tracer.step(id, GATE, 'tool_requirement', JSON.stringify({ required: toolRequired, intent: decision.intent }));
  const intent = isSupported(
    { intent: decision.intent, forcedTool: tool, ...placeOfTools(request), text },
    toolRequired,
    toolBox,
  )
    ? decision.intent
    : 'UNSUPPORTED_TASK';
  if (intent !== decision.intent) {
    tracer.step(id, GATE, 'route_unsupported', JSON.stringify({ intent: decision.intent, tool }), 'blocked');
    live.log(logLine('no_tool', { intent: decision.intent }));
  }
  return {
    ...turn,
    text,
    intent,
    wanted: decision.intent,
    source: decision.source,
    language: decision.language,
    toolRequired,
    asked: null,
  };
}

async function intentOf(
  turn: TaskTurn,
  forcedIntent: string | null,
  { intents, slash, toolBox }: Pick<DecideParts, 'intents' | 'slash' | 'toolBox'>,
): Promise<IntentDecision> {
  const { live, text, tool } = turn;
  // What is wanted is settled; what it is answered in is not.
  const forced = async (intent: IntentId): Promise<IntentDecision> => ({
    intent,
    source: 'forced',
    language: await intents.language(text),
    score: 1,
    top2: [{ intent, score: 1 }],
  });
  if (forcedIntent !== null) {
    const known = INTENTS.find((intent) => intent === forcedIntent);
    if (known) return forced(known);
    throw new TaskError({
      code: 'forced_intent_unknown',
      message: `There is no intent ${forcedIntent}.`,
      stage: 'forced_route',
    });
  }
  if (tool !== null) {
    const intent = slash.intentOf(tool);
    if (intent) return forced(intent);
    if (isToolsName(turn, toolBox)) return forced('GENERAL_CHAT');
    throw new TaskError({
      code: 'forced_tool_unknown',
      message: `There is no tool ${tool}.`,
      stage: 'forced_route',
    });
  }
  const decision = await intents.classify(text, { signal: live.signal });
  // "What time is it here?" with a picture of a clock: no template has seen it. And what no template can do, such as booking a
  // table, may be the very thing a tool is there for.
  const beyondTemplates =
    (live.task.request.images > 0 && TEMPLATE_INTENTS.has(decision.intent)) ||
    (decision.intent === 'UNSUPPORTED_TASK' && namesATool(turn, toolBox));
  return beyondTemplates ? { ...decision, intent: 'GENERAL_CHAT' } : decision;
}

/** Of a tool as it is, such as `notes__read`, and not of a kind of work. */
const isToolsName = ({ live, tool }: TaskTurn, toolBox: ToolBox): boolean =>
  tool !== null && toolBox.has(tool, placeOfTools(live.task.request));

function namesATool({ live, text }: TaskTurn, toolBox: ToolBox): boolean {
  const place = placeOfTools(live.task.request);
  return (text.match(TOOLS_NAME) ?? []).slice(0, NAMES_TRIED).some((name) => toolBox.has(name, place));
}

function isSupported(request: ToolRequest, toolRequired: boolean, toolBox: ToolBox): boolean {
  if (TEMPLATE_INTENTS.has(request.intent)) return true;
  return !toolRequired || procedureOf(request, toolBox) !== null || toolBox.toolsFor(request).length > 0;
}
