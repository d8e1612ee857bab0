// A model's own chat template, where it knows tools. Renders conversations with tools, calls and results in them.
import { ChatTemplate, type JinjaMessage, type PromptPiece, type TemplateMarks } from '../chat-template.js';
import { spacedJson } from '../schema-grammar.js';
import type { ChatMessage } from '../worker-protocol.js';
import { syntaxOfArguments } from './argument-syntax.js';
import { type CallSyntax, GENERIC, SAMPLE, syntaxIn, syntaxTold } from './call-syntax.js';
import { callText, resultText } from './calls-as-text.js';
import type { ToolDefinition } from './tool-order.js';

/** What a template can do by itself. */
interface Abilities {
  syntax: CallSyntax;
  /** Else they are written into the assistant's text. */
  rendersCalls: boolean;
  /** Else they are the user's words. */
  rendersResults: boolean;
  inputsAsText: boolean;
  /** It goes through the calls of every message, whether there are any or not. */
  wantsCallsEverywhere: boolean;
}

export class ToolTemplate {
  readonly #template: ChatTemplate;
  readonly #abilities: Abilities;

  private constructor(template: ChatTemplate, abilities: Abilities) {
    this.#template = template;
    this.#abilities = abilities;
  }

  /** Null where it knows no tools, or calls them in a way that is not known here. */
  static of(source: string, marks: TemplateMarks): ToolTemplate | null {
    try {
      const template = new ChatTemplate(source, marks);
      const abilities = abilitiesOf(template, false) ?? abilitiesOf(template, true);
      return abilities && new ToolTemplate(template, abilities);
    } catch {
      return null;
    }
  }

  get syntax(): CallSyntax {
    return this.#abilities.syntax;
  }

  /**
   * @param words  that the template takes beside messages and tools
   * @throws whatever the template raises, such as about an order of messages that it refuses
   */
  render(
    messages: readonly ChatMessage[],
    tools: readonly ToolDefinition[],
    words: Readonly<Record<string, unknown>> = {},
  ): PromptPiece[] {
    const safe = (value: unknown) => this.#template.safe(value);
    return this.#template.pieces(
      jinjaMessages(messages, this.#abilities, safe),
      tools.map((tool) => safe(toFunction(tool))),
      words,
    );
  }
}

function abilitiesOf(template: ChatTemplate, wantsCallsEverywhere: boolean): Abilities | null {
  const tool = { name: SAMPLE.tool, description: 'Sample', schema: { type: 'object', properties: {} } };
  const render = (messages: JinjaMessage[], tools: object[] | null) => {
    try {
      return template.text(messages, tools ?? []);
    } catch {
      return '';
    }
  };
  const noCalls = wantsCallsEverywhere ? { tool_calls: [] } : {};
  const question = { role: 'user', content: 'question', ...noCalls };
  const answer = { role: 'assistant', content: SAMPLE.said, ...noCalls };
  const tools = [toFunction(tool)];
  const told = render([question], tools);
  if (told === '' || told === render([question], null)) return null;
  const said = render([question, answer], tools);
  const call: ChatMessage = {
    role: 'assistant',
    text: '',
    calls: [{ id: '', name: SAMPLE.tool, input: { [SAMPLE.key]: SAMPLE.value } }],
  };
  const longer = {
    id: '',
    name: SAMPLE.tool,
    input: { [SAMPLE.key]: SAMPLE.value, [SAMPLE.otherKey]: SAMPLE.otherValue },
  };
  const result: ChatMessage = { role: 'tool', id: '', name: SAMPLE.tool, text: SAMPLE.result };
  let rendersCalls = false;
  for (const inputsAsText of [false, true]) {
    const ways = { syntax: GENERIC, rendersCalls: true, rendersResults: true, inputsAsText, wantsCallsEverywhere };
    const after = (messages: ChatMessage[]) => render([question, ...jinjaMessages(messages, ways, asIs)], tools);
    const called = after([call]);
    // Some templates show a call only once its result is there.
    const answered = after([call, result]);
    rendersCalls ||= called.includes(SAMPLE.value) || answered.includes(SAMPLE.value);
    const syntax =
      syntaxIn(told, said, called) ??
      syntaxIn(told, said, answered) ??
      syntaxOfArguments(told, after([{ ...call, calls: [longer] }])) ??
      syntaxOfArguments(told, after([{ ...call, calls: [longer] }, result]));
    if (syntax) return { ...ways, syntax, rendersResults: answered.includes(SAMPLE.result) };
  }
  // Whatever way that is, it is not known here.
  if (rendersCalls) return null;
  const syntax = syntaxTold(told);
  if (!syntax) return null;
  const answered = render([question, answer, ...toolMessage(result, 0)], tools);
  const rendersResults = answered.includes(SAMPLE.result);
  return { syntax, rendersCalls: false, rendersResults, inputsAsText: false, wantsCallsEverywhere };
}

const asIs = (value: unknown): unknown => value;

function jinjaMessages(
  messages: readonly ChatMessage[],
  { syntax, rendersCalls, rendersResults, inputsAsText, wantsCallsEverywhere }: Abilities,
  safe: (value: unknown) => unknown,
): JinjaMessage[] {
  // Some templates take ids of nine characters only, and a conversation must read the same every time.
  const ids = new Map<string, number>();
  return messages.flatMap((message): JinjaMessage[] => {
    if (message.role === 'tool') {
      const place = ids.get(message.id) ?? 0;
      if (rendersResults) return toolMessage({ ...message, text: safe(message.text) as string }, place);
      return [{ role: 'user', content: safe(resultText(message)) }];
    }
    const calls = message.role === 'assistant' ? (message.calls ?? []) : [];
    if (calls.length === 0)
      return [{ ...plainMessage(message, safe), ...(wantsCallsEverywhere ? { tool_calls: [] } : {}) }];
    if (!rendersCalls) return [{ role: 'assistant', content: safe(callText(message.text, calls, syntax)) }];
    return [
      {
        ...plainMessage(message, safe),
        tool_calls: calls.map(({ id, name, input }) => {
          ids.set(id, ids.size + 1);
          const given = safe(input);
          return {
            id: idAt(ids.size),
            type: 'function',
            function: { name: safe(name), arguments: inputsAsText ? spacedJson(given) : given },
          };
        }),
      },
    ];
  });
}

/** A message without calls. */
export function plainMessage(
  message: Exclude<ChatMessage, { role: 'tool' }>,
  safe: (value: unknown) => unknown,
): JinjaMessage {
  const { role, text } = message;
  const thought = message.role === 'assistant' ? message.thought : undefined;
  return {
    role,
    content: safe(text),
    // Families have different names for it. Which thoughts a model is to see again, its template decides.
    ...(thought ? { reasoning_content: safe(thought) } : {}),
    // Of these one template refuses both in one message.
    ...(thought && text === '' ? { thinking: safe(thought) } : {}),
  };
}

const idAt = (place: number): string => String(place).padStart(9, '0');

const toolMessage = (message: Extract<ChatMessage, { role: 'tool' }>, place: number): JinjaMessage[] => [
  { role: 'tool', name: message.name, tool_call_id: idAt(place), content: message.text },
];

const toFunction = ({ name, description, schema }: ToolDefinition): object => ({
  type: 'function',
  function: { name, description: description ?? '', parameters: schema },
});
