// Who answers: a prompt, bounds, and whether it may use tools. Data, so that a new one is a line.
import type { TaskType } from '../../routing/decision.js';
import type { IntentId } from '../intent.js';

export interface AgentDefinition {
  id: string;
  /** As traces and events name it. */
  name: string;
  prompt: string;
  taskType: TaskType;
  /** 0..2; undefined leaves it to the model. */
  temperature?: number;
  /** Tokens of one answer. */
  maxOutputTokens: number;
  /** How often the model may be asked in one go: an answer, or calls of tools and then an answer. */
  maxSteps: number;
  tools: boolean;
  /** Takes the caller's generation parameters. */
  takesParams: boolean;
}

const LANGUAGE = 'Answer in the language of the question.';

export const AGENTS = {
  chat: {
    id: 'chat',
    name: 'ChatAgent',
    prompt: `You are a helpful assistant. ${LANGUAGE}`,
    taskType: 'CHAT',
    maxOutputTokens: 2_048,
    maxSteps: 5,
    tools: true,
    takesParams: true,
  },
  coder: {
    id: 'coder',
    name: 'CoderAgent',
    prompt: `You write complete, working code with the imports it needs, in one fenced block per file, and a short note on how to run it. No placeholders. ${LANGUAGE}`,
    taskType: 'CODING_COMPLEX',
    temperature: 0.2,
    maxOutputTokens: 4_096,
    maxSteps: 5,
    tools: true,
    takesParams: true,
  },
  critic: {
    id: 'critic',
    name: 'CriticAgent',
    prompt:
      'You review code for mistakes, security and missing parts. If it does what was asked, answer with the single word APPROVED. Otherwise list the problems, most serious first, one line each, without rewriting the code.',
    taskType: 'ANALYSIS',
    temperature: 0.1,
    maxOutputTokens: 1_024,
    maxSteps: 1,
    tools: false,
    takesParams: false,
  },
  librarian: {
    id: 'librarian',
    name: 'LibrarianAgent',
    prompt: `You find and explain what is known: stored knowledge, files, earlier conversation. Name the source of each statement; do not invent any. ${LANGUAGE}`,
    taskType: 'ANALYSIS',
    maxOutputTokens: 2_048,
    maxSteps: 8,
    tools: true,
    takesParams: true,
  },
  researcher: {
    id: 'researcher',
    name: 'ResearcherAgent',
    prompt: `You research a question, compare what you find and summarise it, listing your sources. What you only remember, you mark as such. ${LANGUAGE}`,
    taskType: 'RESEARCH',
    maxOutputTokens: 1_200,
    maxSteps: 8,
    tools: true,
    takesParams: true,
  },
  integrator: {
    id: 'integrator',
    name: 'IntegratorAgent',
    prompt: `You work with a git repository through the tools you are given. Look before you change, and say exactly what you did. ${LANGUAGE}`,
    taskType: 'STANDARD',
    maxOutputTokens: 1_024,
    maxSteps: 8,
    tools: true,
    takesParams: false,
  },
  tester: {
    id: 'tester',
    name: 'TesterAgent',
    prompt: `You test applications through the tools you are given and report each step with what you saw. What you did not run you call not run. ${LANGUAGE}`,
    taskType: 'STANDARD',
    maxOutputTokens: 2_048,
    maxSteps: 12,
    tools: true,
    takesParams: false,
  },
  publisher: {
    id: 'publisher',
    name: 'PublisherAgent',
    prompt: `You write documentation for people who have never seen the project, from what the tools show you. ${LANGUAGE}`,
    taskType: 'GENERATION',
    maxOutputTokens: 4_096,
    maxSteps: 8,
    tools: true,
    takesParams: false,
  },
  release: {
    id: 'release',
    name: 'ReleaseManagerAgent',
    prompt: `You prepare releases: version and changelog, from commits you are shown. You say nothing that they do not say. ${LANGUAGE}`,
    taskType: 'STANDARD',
    maxOutputTokens: 2_048,
    maxSteps: 8,
    tools: true,
    takesParams: false,
  },
  executive: {
    id: 'executive',
    name: 'ExecutiveAgent',
    prompt: `You report on goals and progress from what you are shown, shortest first. What you are not shown you do not know. ${LANGUAGE}`,
    taskType: 'ANALYSIS',
    maxOutputTokens: 1_024,
    maxSteps: 4,
    tools: true,
    takesParams: false,
  },
  toolmaker: {
    id: 'toolmaker',
    name: 'ToolmakerAgent',
    prompt: `You design a small tool as code: its name, what it takes, what it returns, and its source in one fenced block. It is shown to a person and not run. ${LANGUAGE}`,
    taskType: 'CODING_COMPLEX',
    temperature: 0.2,
    maxOutputTokens: 4_096,
    maxSteps: 1,
    tools: false,
    takesParams: true,
  },
  architect: {
    id: 'architect',
    name: 'ArchitectAgent',
    prompt:
      'You split a goal into a few steps that can each be done by one specialist: RESEARCHER finds facts, CODER writes code or text, LIBRARIAN works with stored knowledge and files, TOOLMAKER designs a tool. Steps that do not need each other depend on nothing. Answer with JSON only.',
    taskType: 'ANALYSIS',
    temperature: 0.3,
    maxOutputTokens: 1_500,
    maxSteps: 1,
    tools: false,
    takesParams: false,
  },
  writer: {
    id: 'coder',
    name: 'CoderAgent',
    prompt: `You do one step of a larger work: what it asks for, complete, and nothing beside it. Code is whole and works, in one fenced block per file; everything else is plain text. ${LANGUAGE}`,
    taskType: 'CODING_COMPLEX',
    temperature: 0.2,
    maxOutputTokens: 4_096,
    maxSteps: 5,
    tools: true,
    takesParams: true,
  },
  councilArchitect: councillor(
    'architect',
    'ArchitectAgent',
    'You are the architect. Propose how the goal is reached: parts, order, decisions with their reasons. Later, change your proposal where an objection is right and say why where it is not.',
  ),
  councilCoder: councillor(
    'coder',
    'CoderAgent',
    'You are the coder. Say how the proposal is carried out: data, interfaces, the hard places, the first piece that can be tried. Name what will not work.',
  ),
  councilCritic: councillor(
    'critic',
    'CriticAgent',
    'You are the critic. Name what is wrong or missing in what was proposed, most serious first, one line each. If nothing serious is left, end with the single word AGREED.',
  ),
  guardian: councillor(
    'guardian',
    'GuardianAgent',
    'You are the guardian. Watch over what was asked for, safety, privacy and cost: name what is at risk or beside the goal. If nothing serious is left, end with the single word AGREED.',
  ),
  councilChair: {
    ...councillor('architect', 'ArchitectAgent', ''),
    prompt: `You write the conclusion of a discussion for the person whose goal it was: complete and usable by itself, decisions first, then how to do it. Name objections that were not settled. Claim nothing as done: it was talked about, not carried out. ${LANGUAGE}`,
    maxOutputTokens: 2_048,
  },
  campaign: {
    id: 'campaign',
    name: 'CampaignAgent',
    prompt:
      'You turn a request into goals that can be reached one after the other. Each is one sentence that says what is there once it is reached. Answer with JSON only.',
    taskType: 'ANALYSIS',
    temperature: 0.2,
    maxOutputTokens: 1_000,
    maxSteps: 1,
    tools: false,
    takesParams: false,
  },
  time: fromTemplate('time', 'TimeAgent'),
  status: fromTemplate('status', 'SystemStatusAgent'),
  help: fromTemplate('help', 'HelpAgent'),
  session: fromTemplate('session', 'SessionAgent'),
  unsupported: fromTemplate('unsupported', 'UnsupportedAgent'),
} as const satisfies Record<string, AgentDefinition>;

/** Speaks in a council: briefly, without tools, and where a person pays by the token, here. */
function councillor(id: string, name: string, role: string): AgentDefinition {
  return {
    id,
    name,
    prompt: `A council talks over the goal of a person. ${role} At most 150 words, no greetings, nothing that was said already. Speak the language of the goal.`,
    // Many questions of one turn: in HYBRID they are the local model's.
    taskType: 'CHAT',
    temperature: 0.4,
    maxOutputTokens: 600,
    maxSteps: 1,
    tools: false,
    takesParams: false,
  };
}

/** Answers from a template; no model is asked. */
function fromTemplate(id: string, name: string): AgentDefinition {
  return {
    id,
    name,
    prompt: '',
    taskType: 'STANDARD',
    maxOutputTokens: 1,
    maxSteps: 0,
    tools: false,
    takesParams: false,
  };
}

export const AGENT_OF: Readonly<Record<IntentId, AgentDefinition>> = {
  GENERAL_CHAT: AGENTS.chat,
  KNOWLEDGE_SEARCH: AGENTS.librarian,
  FILE_OPERATION: AGENTS.librarian,
  CODE_GENERATION: AGENTS.coder,
  CODE_REVIEW: AGENTS.critic,
  RESEARCH: AGENTS.researcher,
  COMPLEX_PLANNING: AGENTS.architect,
  VERSION_CONTROL: AGENTS.integrator,
  TOOL_CREATION: AGENTS.toolmaker,
  E2E_TESTING: AGENTS.tester,
  DOCUMENTATION: AGENTS.publisher,
  RELEASE_PROJECT: AGENTS.release,
  START_CAMPAIGN: AGENTS.campaign,
  STATUS_REPORT: AGENTS.executive,
  INFRA_STATUS: AGENTS.status,
  HELP_REQUEST: AGENTS.help,
  TIME_REQUEST: AGENTS.time,
  UNSUPPORTED_TASK: AGENTS.unsupported,
};

/** What the Architect may plan with. */
export const PLAN_AGENTS = {
  RESEARCHER: AGENTS.researcher,
  CODER: AGENTS.writer,
  LIBRARIAN: AGENTS.librarian,
  TOOLMAKER: AGENTS.toolmaker,
} as const;
export type PlanAgent = keyof typeof PLAN_AGENTS;
