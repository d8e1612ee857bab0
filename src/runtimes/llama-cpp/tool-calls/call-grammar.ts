// The grammar of what follows the opening of a call: calls of known tools with inputs that fit, then the end of the answer.
import { literal, SchemaGrammar } from '../schema-grammar.js';
import type { CallSyntax } from './call-syntax.js';
import type { ToolDefinition } from './tool-order.js';

/** More in one answer is a model that has lost its way. */
export const MAX_CALLS = 8;

/** @throws AppError `invalid_input` for a schema that cannot be one */
export function callGrammar(tools: readonly ToolDefinition[], syntax: CallSyntax, single: boolean): string {
  const grammar = new SchemaGrammar();
  const calls = tools.map(({ name, schema }) => {
    const head = literal(syntax.beforeName + name + syntax.afterName);
    return `${head} ${grammar.add(schema)}${syntax.tail === '' ? '' : ` ${literal(syntax.tail)}`}`;
  });
  const call = grammar.rule(calls.join(' | '));
  const more = single || syntax.between === null ? '' : ` (${literal(syntax.between)} ${call}){0,${MAX_CALLS - 1}}`;
  return grammar.text(`${call}${more}${syntax.close === '' ? '' : ` ${literal(syntax.close)}`}`);
}
