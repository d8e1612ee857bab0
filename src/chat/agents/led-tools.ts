// Tools for models that cannot call any by themselves: led step by step. Which tool, or none? With what input? Each
// question is answered in JSON that the engine holds to a schema, and what comes of it looks like a call of its own.
import type {
  LanguageModelV4CallOptions,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
} from '@ai-sdk/provider';
import type { ChatTool } from '../task-ports.js';
import { TaskError } from '../tasks/task-failure.js';

const NONE = 'none';
/** Calls of one turn; a small model does not end by itself. */
const MAX_ROUNDS = 3;
const MAX_LED_TOOLS = 8;
const CHOICE_TOKENS = 64;
const INPUT_TOKENS = 512;
/** Of each text in it. */
const INPUT_CHARS = 400;
const DESCRIPTION_CHARS = 200;
const RESULT_CHARS = 4_000;
const MAX_JSON_CHARS = 20_000;
const MAX_SCHEMA_DEPTH = 8;

type Parts = AsyncIterable<readonly LanguageModelV4StreamPart[]>;
type Ask = (options: LanguageModelV4CallOptions) => Promise<Parts>;

/**
 * One step of an agent, for a model without calls of its own.
 * @param mustCall  the work is nothing without a tool, so the first answer must be a call
 * @throws TaskError `execution_contract_violation` where it must call one and names none
 */
export async function* ledStep(
  ask: Ask,
  options: LanguageModelV4CallOptions,
  tools: readonly ChatTool[],
  mustCall: boolean,
): AsyncGenerator<readonly LanguageModelV4StreamPart[]> {
  const { tools: _, toolChoice: __, ...plain } = options;
  const prompt = withoutToolParts(options.prompt);
  const earlier = callsIn(options.prompt);
  const offered = tools
    // A small model does again what it has just done.
    .filter(({ name, changes }) => !changes || !earlier.some((call) => call.startsWith(`${name} `)))
    .toSorted((one, other) => (one.rank ?? 0) - (other.rank ?? 0))
    .slice(0, MAX_LED_TOOLS);
  const first = mustCall && earlier.length === 0;
  if (offered.length === 0 || earlier.length >= MAX_ROUNDS) {
    if (first) throw cannotCall();
    yield* await ask({ ...plain, prompt, ...stopsAtQuotes(plain, prompt) });
    return;
  }
  const used: LanguageModelV4Usage[] = [];
  const chosen = await chosenTool(ask, plain, prompt, offered, first, used);
  const input = chosen && (await inputFor(ask, plain, prompt, chosen, used));
  // The same once more would bring the same again.
  if (!chosen || input === null || input === undefined || earlier.includes(`${chosen.name} ${input}`)) {
    if (first) throw cannotCall();
    for await (const parts of await ask({ ...plain, prompt, ...stopsAtQuotes(plain, prompt) }))
      yield parts.map((part) => (part.type === 'finish' ? { ...part, usage: together([...used, part.usage]) } : part));
    return;
  }
  yield [
    { type: 'tool-call', toolCallId: `led-${earlier.length + 1}`, toolName: chosen.name, input },
    { type: 'finish', finishReason: { unified: 'tool-calls', raw: undefined }, usage: together(used) },
  ];
}

async function chosenTool(
  ask: Ask,
  plain: LanguageModelV4CallOptions,
  prompt: LanguageModelV4Prompt,
  tools: readonly ChatTool[],
  must: boolean,
  used: LanguageModelV4Usage[],
): Promise<ChatTool | null> {
  const names = [...tools.map(({ name }) => name), ...(must ? [] : [NONE])];
  if (must && tools.length === 1) return tools[0] ?? null;
  const list = tools.map(({ name, description }) => `${name}: ${description.slice(0, DESCRIPTION_CHARS)}`).join('\n');
  const answer = await json(
    ask,
    plain,
    [
      ...prompt,
      said(
        'user',
        `These tools can be called before the answer:\n${list}\n\nWhich one is needed next for what I asked? ${
          must ? 'Name one' : `Name one, or ${NONE} if the answer needs no tool`
        }, as JSON: {"tool": "…"}`,
      ),
    ],
    { type: 'object', properties: { tool: { enum: names } }, required: ['tool'], additionalProperties: false },
    CHOICE_TOKENS,
    used,
  );
  const name = (answer?.value as { tool?: unknown } | undefined)?.tool;
  return tools.find((tool) => tool.name === name) ?? null;
}

/** Null where no usable JSON came. */
async function inputFor(
  ask: Ask,
  plain: LanguageModelV4CallOptions,
  prompt: LanguageModelV4Prompt,
  tool: ChatTool,
  used: LanguageModelV4Usage[],
): Promise<string | null> {
  const schema = plainSchema(tool.inputSchema);
  if (Object.keys(schema['properties'] ?? {}).length === 0) return '{}';
  const answer = await json(
    ask,
    plain,
    [
      ...prompt,
      said(
        'user',
        `The tool ${tool.name} is called: ${tool.description.slice(0, DESCRIPTION_CHARS)}\nGive its input for what I asked, as JSON.`,
      ),
    ],
    schema,
    INPUT_TOKENS,
    used,
  );
  return answer ? JSON.stringify(answer.value) : null;
}

async function json(
  ask: Ask,
  plain: LanguageModelV4CallOptions,
  prompt: LanguageModelV4Prompt,
  schema: Record<string, unknown>,
  maxOutputTokens: number,
  used: LanguageModelV4Usage[],
): Promise<{ value: unknown } | null> {
  let text = '';
  const parts = await ask({
    ...plain,
    prompt,
    temperature: 0,
    maxOutputTokens,
    responseFormat: { type: 'json', schema: schema as never },
  });
  for await (const batch of parts)
    for (const part of batch) {
      if (part.type === 'text-delta') text += part.delta;
      else if (part.type === 'finish') used.push(part.usage);
      else if (part.type === 'error') throw part.error;
      if (text.length > MAX_JSON_CHARS) return null;
    }
  try {
    return { value: JSON.parse(text) };
  } catch {
    return null;
  }
}

/** What every engine's grammar knows of a JSON Schema; the tool itself checks the rest. */
function plainSchema(schema: unknown, depth = 0): Record<string, unknown> {
  if (typeof schema !== 'object' || schema === null || depth > MAX_SCHEMA_DEPTH)
    return { type: 'string', maxLength: INPUT_CHARS };
  const given = schema as Record<string, unknown>;
  if (Array.isArray(given['enum'])) return { enum: given['enum'] };
  if ('const' in given) return { enum: [given['const']] };
  const type = Array.isArray(given['type']) ? given['type'][0] : given['type'];
  if (type === 'array') return { type, items: plainSchema(given['items'], depth + 1) };
  // A small model may not find the end of a text by itself.
  if (type !== 'object')
    return typeof type === 'string' && type !== 'string' ? { type } : { type: 'string', maxLength: INPUT_CHARS };
  const properties = (given['properties'] ?? {}) as Record<string, unknown>;
  const required = (given['required'] ?? []) as string[];
  // What need not be said is left to the tool: a small model fills every field it is shown.
  const named = Object.entries(properties).filter(([name]) => required.includes(name));
  return {
    type,
    properties: Object.fromEntries(named.map(([name, value]) => [name, plainSchema(value, depth + 1)])),
    required: named.map(([name]) => name),
    additionalProperties: false,
  };
}

/** The marks around what a tool found are no words of an answer; a small model repeats them, and ends where it does. */
function stopsAtQuotes(
  { stopSequences = [] }: LanguageModelV4CallOptions,
  prompt: LanguageModelV4Prompt,
): Pick<LanguageModelV4CallOptions, 'stopSequences'> {
  const marks = new Set(JSON.stringify(prompt).match(/<\/quoted-[0-9a-f]{8}>/g));
  return marks.size === 0 ? {} : { stopSequences: [...stopSequences, ...marks] };
}

/** Calls and results as sentences, for a model whose template knows neither. */
function withoutToolParts(prompt: LanguageModelV4Prompt): LanguageModelV4Prompt {
  return prompt.flatMap((message): LanguageModelV4Message[] => {
    if (message.role === 'system' || message.role === 'user') return [message];
    if (message.role === 'tool')
      return message.content.flatMap((part) => {
        if (part.type !== 'tool-result') return [];
        const { output } = part;
        const text =
          'value' in output ? (typeof output.value === 'string' ? output.value : JSON.stringify(output.value)) : '';
        return [
          said('user', `Result of ${part.toolName}:\n${text.slice(0, RESULT_CHARS)}\n\nUse it for what I asked.`),
        ];
      });
    const text = message.content
      .map((part) =>
        part.type === 'text'
          ? part.text
          : part.type === 'tool-call'
            ? `I call ${part.toolName} with ${JSON.stringify(part.input)}.`
            : '',
      )
      .filter(Boolean)
      .join('\n');
    return [said('assistant', text)];
  });
}

const cannotCall = () =>
  new TaskError({
    code: 'execution_contract_violation',
    message: 'This needs a tool, and the model that answers cannot call any.',
    stage: 'agent_precheck',
  });

const callsIn = (prompt: LanguageModelV4Prompt): string[] =>
  prompt.flatMap((message) =>
    message.role === 'assistant'
      ? message.content.flatMap((part) =>
          part.type === 'tool-call' ? [`${part.toolName} ${JSON.stringify(part.input)}`] : [],
        )
      : [],
  );

const said = (role: 'user' | 'assistant', text: string): LanguageModelV4Message => ({
  role,
  content: [{ type: 'text', text }],
});

function together(usages: readonly LanguageModelV4Usage[]): LanguageModelV4Usage {
  const sum = (pick: (usage: LanguageModelV4Usage) => number | undefined) => {
    const known = usages.map(pick).filter((count) => count !== undefined);
    return known.length === 0 ? undefined : known.reduce((total, count) => total + count, 0);
  };
  return {
    inputTokens: {
      total: sum(({ inputTokens }) => inputTokens.total),
      noCache: sum(({ inputTokens }) => inputTokens.noCache),
      cacheRead: sum(({ inputTokens }) => inputTokens.cacheRead),
      cacheWrite: sum(({ inputTokens }) => inputTokens.cacheWrite),
    },
    outputTokens: {
      total: sum(({ outputTokens }) => outputTokens.total),
      text: sum(({ outputTokens }) => outputTokens.text),
      reasoning: sum(({ outputTokens }) => outputTokens.reasoning),
    },
  };
}
