// A model's own chat template, where it knows tools. Renders conversations with tools, calls and results in them; whatever
// people, tools and their descriptions say can never become a mark of the template.
import { Template } from '@huggingface/jinja';
import { spacedJson } from '../schema-grammar.js';
import type { ChatMessage } from '../worker-protocol.js';
import { syntaxOfArguments } from './argument-syntax.js';
import { type CallSyntax, GENERIC, SAMPLE, syntaxIn, syntaxTold } from './call-syntax.js';
import { callText, resultText } from './calls-as-text.js';
import type { ToolDefinition } from './tool-order.js';

/** Around text that is to be read as plain text. Of Unicode's private use: nobody's words. */
const PLAIN_FROM = '\uE0F0';
const PLAIN_TO = '\uE0F1';

/** A piece of a rendered conversation; in a plain one there are no marks of the template. */
export interface PromptPiece {
  text: string;
  plain: boolean;
}

export interface TemplateMarks {
  bos: string;
  eos: string;
  /** Whether a text would be read as more than text, such as an end of a message. */
  isUnsafe: (text: string) => boolean;
}

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

type JinjaMessage = Record<string, unknown>;

export class ToolTemplate {
  readonly #template: Template;
  readonly #marks: TemplateMarks;
  readonly #abilities: Abilities;

  private constructor(template: Template, marks: TemplateMarks, abilities: Abilities) {
    this.#template = template;
    this.#marks = marks;
    this.#abilities = abilities;
  }

  /** Null where it knows no tools, or calls them in a way that is not known here. */
  static of(source: string, marks: TemplateMarks): ToolTemplate | null {
    try {
      const template = new Template(source);
      const abilities = abilitiesOf(template, marks, false) ?? abilitiesOf(template, marks, true);
      return abilities && new ToolTemplate(template, marks, abilities);
    } catch {
      return null;
    }
  }

  get syntax(): CallSyntax {
    return this.#abilities.syntax;
  }

  /** @throws whatever the template raises, such as about an order of messages that it refuses */
  render(messages: readonly ChatMessage[], tools: readonly ToolDefinition[]): PromptPiece[] {
    const safe = (value: unknown) => this.#guarded(value);
    return pieces(
      this.#template.render({
        messages: jinjaMessages(messages, this.#abilities, safe),
        // Some templates ask only whether there is such a word at all.
        ...(tools.length > 0 ? { tools: tools.map((tool) => safe(toFunction(tool))) } : {}),
        add_generation_prompt: true,
        bos_token: this.#marks.bos,
        eos_token: this.#marks.eos,
      }),
    );
  }

  #guarded(value: unknown): unknown {
    if (typeof value === 'string') {
      const own = value.replaceAll(PLAIN_FROM, '').replaceAll(PLAIN_TO, '');
      return this.#marks.isUnsafe(own) ? PLAIN_FROM + own + PLAIN_TO : own;
    }
    if (Array.isArray(value)) return value.map((item) => this.#guarded(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [this.#guarded(name) as string, this.#guarded(member)]),
    );
  }
}

function abilitiesOf(template: Template, marks: TemplateMarks, wantsCallsEverywhere: boolean): Abilities | null {
  const tool = { name: SAMPLE.tool, description: 'Sample', schema: { type: 'object', properties: {} } };
  const render = (messages: JinjaMessage[], tools: object[] | null) => {
    try {
      return template.render({
        messages,
        ...(tools ? { tools } : {}),
        add_generation_prompt: true,
        bos_token: marks.bos,
        eos_token: marks.eos,
      });
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
      return [{ role: message.role, content: safe(message.text), ...(wantsCallsEverywhere ? { tool_calls: [] } : {}) }];
    if (!rendersCalls) return [{ role: 'assistant', content: safe(callText(message.text, calls, syntax)) }];
    return [
      {
        role: 'assistant',
        content: safe(message.text),
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

const idAt = (place: number): string => String(place).padStart(9, '0');

const toolMessage = (message: Extract<ChatMessage, { role: 'tool' }>, place: number): JinjaMessage[] => [
  { role: 'tool', name: message.name, tool_call_id: idAt(place), content: message.text },
];

const toFunction = ({ name, description, schema }: ToolDefinition): object => ({
  type: 'function',
  function: { name, description: description ?? '', parameters: schema },
});

function pieces(rendered: string): PromptPiece[] {
  const found: PromptPiece[] = [];
  for (const [index, part] of rendered.split(PLAIN_FROM).entries()) {
    const end = index === 0 ? -1 : part.indexOf(PLAIN_TO);
    if (end >= 0) found.push({ text: part.slice(0, end), plain: true });
    found.push({ text: part.slice(end + 1), plain: false });
  }
  return found.filter(({ text }) => text !== '');
}
