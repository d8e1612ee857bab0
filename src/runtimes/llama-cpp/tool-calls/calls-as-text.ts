// Tools, calls and results in words, for models whose chat template knows no place for them.
import { spacedJson } from '../schema-grammar.js';
import type { ToolCallMessage, ToolResultMessage } from '../worker-protocol.js';
import { inputText } from './call-input.js';
import type { CallSyntax } from './call-syntax.js';
import type { ToolDefinition } from './tool-order.js';

/** What a system message says about tools. */
export function toolPrompt(tools: readonly ToolDefinition[], { open, afterName, tail, close }: CallSyntax): string {
  const list = tools.map(({ name, description, schema }) =>
    spacedJson({ name, ...(description === undefined ? {} : { description }), parameters: schema }),
  );
  return `You can call functions to find out or do something. These are the functions:
${list.join('\n')}

To call one, answer with nothing but its name and its arguments in JSON, in this form:
${open}{"name": "<name>${afterName}{"<argument>": <value>}${tail}${close}
When no function is needed, answer in words.`;
}

/** Calls as the model itself writes them. */
export function callText(said: string, calls: readonly ToolCallMessage[], syntax: CallSyntax): string {
  const { open, beforeName, afterName, tail, between, close, input: form } = syntax;
  const written = calls.map(({ name, input }) => beforeName + name + afterName + inputText(input, form) + tail);
  const text =
    between === null ? written.map((call) => open + call + close).join('\n') : open + written.join(between) + close;
  return said === '' ? text : `${said}\n${text}`;
}

export const resultText = ({ name, text }: ToolResultMessage): string => `Result of ${name}:\n${text}`;
