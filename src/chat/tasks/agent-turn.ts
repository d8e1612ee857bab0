// A turn of one agent: it is asked with its tools, as often as they need.
import type { AgentDefinition } from '../agents/agent.js';
import type { IntentId } from '../intent.js';
import type { ChatTool } from '../task-ports.js';
import { labelsOf, type TurnWork } from './turn-work.js';

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
  const { text } = await work.model.ask({
    agent,
    messages,
    labels: labelsOf(work),
    tools: toolsOf(work, one),
    mustCall: toolRequired,
    onText,
  });
  return text;
}

function toolsOf({ turn, toolBox }: TurnWork, { agent, intent, text }: OneAgentsWork): readonly ChatTool[] {
  if (!agent.tools) return [];
  return toolBox.toolsFor({
    intent,
    // A tool that was forced is the turn's; a goal of its own has none.
    forcedTool: intent === turn.intent ? turn.tool : null,
    sessionId: turn.live.task.request.sessionId,
    text,
  });
}
