// A turn of one agent: one that works in a fixed order does so; every other is asked with its tools, as often as they need.
import type { AgentDefinition } from '../agents/agent.js';
import { procedureOf } from '../agents/procedures/by-intent.js';
import type { Procedure } from '../agents/procedures/procedure.js';
import type { IntentId } from '../intent.js';
import type { ChatTool } from '../task-ports.js';
import { placeOfTools } from './task-turn.js';
import { labelsOf, type TurnWork } from './turn-work.js';

/** Of what may be sent; the rest is for the question and what goes along. */
const MATERIAL_SHARE = 0.6;
const CHARS_PER_TOKEN = 3;

export interface OneAgentsWork {
  agent: AgentDefinition;
  intent: IntentId;
  /** What is asked for. */
  text: string;
  toolRequired: boolean;
  messages: readonly { role: 'system' | 'user' | 'assistant'; content: string }[];
  onText: (delta: string) => void;
}

export function agentTurn(work: TurnWork, agent: AgentDefinition): Promise<string> {
  const { turn, context, show } = work;
  return workOn(work, {
    agent,
    intent: turn.intent,
    text: turn.text,
    toolRequired: turn.toolRequired,
    messages: context.messages,
    onText: show,
  });
}

export async function workOn(work: TurnWork, one: OneAgentsWork): Promise<string> {
  const { agent, messages, toolRequired, onText } = one;
  const tools = toolsOf(work, one);
  const procedure = procedureFor(work, one, tools);
  if (procedure) return carriedOut(procedure, work, one);
  const { text } = await work.model.ask({
    agent,
    messages,
    labels: labelsOf(work),
    tools,
    mustCall: toolRequired,
    onText,
  });
  return text;
}

/** Who has brought a tool of their own for this work means it to be used. */
function procedureFor(
  { turn, toolBox }: TurnWork,
  { intent, text }: OneAgentsWork,
  tools: readonly ChatTool[],
): Procedure | null {
  if (tools.some(({ imported, rank }) => imported && rank !== undefined)) return null;
  return procedureOf({ intent, text, ...placeOfTools(turn.live.task.request) }, toolBox);
}

function carriedOut(
  procedure: Procedure,
  work: TurnWork,
  { agent, text, messages, onText }: OneAgentsWork,
): Promise<string> {
  const { turn, model, toolBox, language, small } = work;
  const { live } = turn;
  work.tracer.step(live.id, agent.name, 'procedure', null);
  return procedure({
    text,
    language,
    small,
    roomChars: Math.floor(work.budgetTokens * MATERIAL_SHARE) * CHARS_PER_TOKEN,
    has: (tool) => toolBox.has(tool, placeOfTools(live.task.request)),
    call: (tool, input) => work.callTool(tool, input),
    note: (line) => live.log(line),
    say: onText,
    write: async (request, { shown = false, maxTokens } = {}) => {
      const answer = await model.ask({
        agent: { ...agent, maxSteps: 1, ...(maxTokens === undefined ? {} : { maxOutputTokens: maxTokens }) },
        messages: [...messages.slice(0, -1), { role: 'user', content: request }],
        labels: labelsOf(work),
        onText: shown ? onText : undefined,
      });
      return answer.text;
    },
  });
}

function toolsOf({ turn, toolBox }: TurnWork, { agent, intent, text }: OneAgentsWork): readonly ChatTool[] {
  if (!agent.tools) return [];
  return toolBox.toolsFor({
    intent,
    // A tool that was forced is the turn's; a goal of its own has none.
    forcedTool: intent === turn.intent ? turn.tool : null,
    ...placeOfTools(turn.live.task.request),
    text,
  });
}
