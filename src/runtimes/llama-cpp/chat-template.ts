// A model's own chat template. Whatever people, tools and their descriptions say can never become a mark of it.
import { Template } from '@huggingface/jinja';

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

export type JinjaMessage = Record<string, unknown>;

export class ChatTemplate {
  readonly #template: Template;
  readonly #marks: TemplateMarks;

  /** @throws for a template that is broken */
  constructor(source: string, marks: TemplateMarks) {
    this.#template = new Template(source);
    this.#marks = marks;
  }

  /**
   * As it comes out of the template, up to the answer.
   * @param tools  empty where there are none: some templates ask only whether there is such a word at all
   * @throws whatever the template raises, such as about an order of messages that it refuses
   */
  text(
    messages: readonly JinjaMessage[],
    tools: readonly unknown[],
    words: Readonly<Record<string, unknown>> = {},
  ): string {
    return this.#template.render({
      ...words,
      messages,
      ...(tools.length > 0 ? { tools } : {}),
      add_generation_prompt: true,
      bos_token: this.#marks.bos,
      eos_token: this.#marks.eos,
    });
  }

  /** The same in pieces; what is `safe` in messages and tools is a piece of its own where it must be. @throws as `text` */
  pieces(...given: Parameters<ChatTemplate['text']>): PromptPiece[] {
    return pieces(this.text(...given));
  }

  /** A value whose texts, names included, the template cannot be misled by. */
  safe(value: unknown): unknown {
    if (typeof value === 'string') {
      const own = value.replaceAll(PLAIN_FROM, '').replaceAll(PLAIN_TO, '');
      return this.#marks.isUnsafe(own) ? PLAIN_FROM + own + PLAIN_TO : own;
    }
    if (Array.isArray(value)) return value.map((item) => this.safe(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [this.safe(name) as string, this.safe(member)]),
    );
  }
}

function pieces(rendered: string): PromptPiece[] {
  const found: PromptPiece[] = [];
  for (const [index, part] of rendered.split(PLAIN_FROM).entries()) {
    const end = index === 0 ? -1 : part.indexOf(PLAIN_TO);
    if (end >= 0) found.push({ text: part.slice(0, end), plain: true });
    found.push({ text: part.slice(end + 1), plain: false });
  }
  return found.filter(({ text }) => text !== '');
}
