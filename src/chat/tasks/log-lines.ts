// What a task's log says, line by line. The log itself is English text, as its clients know it; because every line is made
// of one of these, a client can tell which it was and say it in another language. No I/O in this file.

export const LOG_LINES = {
  waits_paused: 'Waiting: the queue is paused.',
  waits_place: 'Waiting for a free place.',
  unknown_command: '{{command}} is no command here; it was left out.',
  started: 'Started.',
  resumed: 'Resumed.',
  completed: 'Completed.',
  interrupted: 'The server stopped while this task ran; it can be resumed.',
  purged: 'The task was removed from the queue before it ran.',
  first_words: 'First words after {{value}} ms.',
  approval_waits: '{{tool}} waits for your yes.',
  question_waits: '{{tool}} asks you something.',
  tool_answered: 'Tool {{tool}} answered in {{value}} ms.',
  tool_failed: 'Tool {{tool}} failed in {{value}} ms.',
  no_tool: 'No tool for {{intent}} is installed.',
  not_translated: 'The answer could not be translated: {{code}}.',
  plan_one: 'Plan with {{count}} step.',
  plan_other: 'Plan with {{count}} steps.',
  plan_refused: 'The plan was refused: {{reason}}',
  plan_source_words: 'The model made no usable plan, so the goal was divided by its own words.',
  plan_source_whole: 'The model made no usable plan, so the goal was done in one step.',
  step_again: 'Step {{number}} ({{agent}}) once more: {{text}}',
  step_begins: 'Step {{number}} ({{agent}}): {{text}}',
  step_done: 'Step {{number}} done.',
  step_failed: 'Step {{number}} failed: {{reason}}.',
  step_skipped: 'Step {{number}} skipped: {{reason}}.',
  council: 'A council of {{members}}: at most {{rounds}} rounds, {{tokens}} tokens.',
  council_speaks: '{{member}} speaks, round {{round}}.',
  council_agreed: '{{member}}, round {{round}}: agreed.',
  council_spoke: '{{member}}, round {{round}}: {{value}} characters.',
  council_failed: '{{member}}, round {{round}}: {{reason}}.',
  council_ended: 'The council ended: {{stopped}}.',
  campaign_one: 'Campaign with {{count}} goal.',
  campaign_other: 'Campaign with {{count}} goals.',
  goals_open: 'These goals were open from earlier.',
  goals_listed: 'The goals are those you listed.',
  goals_model: 'The goals were derived from your request.',
  goals_words: 'No model made usable goals of the request, so it was divided by its own words.',
  goals_whole: 'The request is the only goal.',
  campaign_waits: 'The campaign waits: the queue is paused.',
  campaign_resumes: 'The campaign goes on.',
  goal_begins: 'Goal {{number}}: {{text}}',
  goal_reached: 'Goal {{number}} reached.',
  goal_missed: 'Goal {{number}} not reached: {{reason}}.',
  draft: 'Draft {{number}} is being written.',
  review: 'Review {{number}}: {{verdict}}.',
  page: 'Page: {{page}}; read {{value}} files.',
  commits: '{{value}} commits since {{tag}} in {{folder}}.',
} as const;

type Key = keyof typeof LOG_LINES;
export type LogCode = Key extends infer K ? (K extends `${infer Base}_${'one' | 'other'}` ? Base : K) : never;
type Names<Text extends string> = Text extends `${string}{{${infer Name}}}${infer Rest}` ? Name | Names<Rest> : never;
type TextOf<Code extends LogCode> = Code extends Key
  ? (typeof LOG_LINES)[Code]
  : `${Code}_other` extends Key
    ? (typeof LOG_LINES)[`${Code}_other`]
    : never;
type Values<Code extends LogCode> = [Names<TextOf<Code>>] extends [never]
  ? []
  : [values: Record<Names<TextOf<Code>>, string | number>];

/** With a `count`, the line of that number. */
export function logLine<Code extends LogCode>(code: Code, ...[values]: Values<Code>): string {
  const given: Record<string, string | number> = values ?? {};
  const key = code in LOG_LINES ? code : `${code}_${given['count'] === 1 ? 'one' : 'other'}`;
  return LOG_LINES[key as Key].replace(/\{\{(\w+)\}\}/g, (_, name: string) => String(given[name]));
}

/** Placeholders that stand for a whole number. */
const NUMBERS: ReadonlySet<string> = new Set(['value', 'count', 'number', 'round', 'rounds', 'tokens']);
const PATTERNS = Object.entries(LOG_LINES).map(([key, text]) => ({
  code: key.replace(/_(?:one|other)$/, '') as LogCode,
  pattern: new RegExp(
    `^${text.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{\{(\w+)\}\}/g, (_, name: string) => `(?<${name}>${NUMBERS.has(name) ? '\\d+' : '.+?'})`)}$`,
    's',
  ),
}));

/** Which line it was, and with what; undefined for a line that is none of these, such as what an engine said of its failure. */
export function readLogLine(line: string): { code: LogCode; values: Record<string, string> } | undefined {
  for (const { code, pattern } of PATTERNS) {
    const match = pattern.exec(line);
    if (match) return { code, values: { ...match.groups } };
  }
  return undefined;
}
