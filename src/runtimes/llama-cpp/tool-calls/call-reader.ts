// Reads what a model writes by the grammar of its calls: which tool, with what input, while it comes.
import { InputReader } from './call-input.js';
import type { CallSyntax } from './call-syntax.js';
import type { ToolDefinition } from './tool-order.js';

export type CallEvent =
  | { type: 'call-start'; name: string }
  | { type: 'call-input'; text: string }
  | { type: 'call-end'; name: string; input: string };

export type CalledTool = Pick<ToolDefinition, 'name' | 'schema'>;

export class CallReader {
  readonly #tools: readonly CalledTool[];
  readonly #syntax: CallSyntax;
  #unread = '';
  #open: { name: string; input: string; reader: InputReader } | undefined;

  constructor(tools: readonly CalledTool[], syntax: CallSyntax) {
    this.#tools = tools;
    this.#syntax = syntax;
  }

  push(text: string): CallEvent[] {
    const events: CallEvent[] = [];
    this.#unread += text;
    for (;;) {
      if (this.#open === undefined) {
        const begun = this.#head();
        if (!begun) return events;
        const { name, schema } = begun.tool;
        this.#open = { name, input: '', reader: new InputReader(this.#syntax.input, schema) };
        this.#unread = this.#unread.slice(begun.end);
        events.push({ type: 'call-start', name });
      }
      const { json, end } = this.#open.reader.push(this.#unread);
      this.#unread = end === null ? '' : this.#unread.slice(end);
      this.#open.input += json;
      if (json !== '') events.push({ type: 'call-input', text: json });
      if (end === null) return events;
      events.push({ type: 'call-end', name: this.#open.name, input: this.#open.input });
      this.#open = undefined;
    }
  }

  /** Between two calls there is fixed text only, so the next head is found wherever it stands. */
  #head(): { tool: CalledTool; end: number } | null {
    const { beforeName, afterName } = this.#syntax;
    const found = this.#tools.flatMap((tool) => {
      const head = beforeName + tool.name + afterName;
      return this.#behindName().flatMap((behind) => {
        const at = this.#unread.indexOf(head + behind);
        return at < 0 ? [] : [{ tool, at, end: at + head.length }];
      });
    });
    // Of `get` and `budget` with nothing before the name, both are found; the one that begins first is the whole name.
    return found.toSorted((one, other) => one.at - other.at)[0] ?? null;
  }

  /** What tells that a name is not the beginning of a longer one, where nothing fixed stands behind it. */
  #behindName(): string[] {
    const { afterName, input, tail, close } = this.#syntax;
    return afterName === '' && input.kind === 'elements' ? [input.beforeKey, tail + close] : [''];
  }
}
