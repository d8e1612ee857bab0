// The grammar of what follows the opening of a call: calls of known tools with inputs that fit, then the end of the answer.
import { literal, SchemaGrammar } from '../schema-grammar.js';
import { inputRule } from './call-input.js';
import type { CallSyntax } from './call-syntax.js';
import type { ToolDefinition } from './tool-order.js';

/** More in one answer is a model that has lost its way. */
export const MAX_CALLS = 8;

export interface CallGrammar {
  /** What is written before the grammar begins: the opening, and of the only tool there is also its name. */
  opening: string;
  /** The part of it that a reader of calls needs. */
  head: string;
  grammar: string;
}

/** @throws AppError `invalid_input` for a schema that cannot be one */
export function callGrammar(tools: readonly ToolDefinition[], syntax: CallSyntax, single: boolean): CallGrammar {
  const grammar = new SchemaGrammar('fixed');
  const heads = tools.map(({ name }) => syntax.beforeName + name + syntax.afterName);
  const end = syntax.tail === '' ? '' : ` ${literal(syntax.tail)}`;
  const inputs = tools.map(({ schema }) => inputRule(grammar, schema, syntax.input) + end);
  const call = grammar.rule(heads.map((head, index) => `${literal(head)} ${inputs[index]}`).join(' | '));
  // A blank belongs to the token behind it, so it is left to the model.
  const head = heads.length === 1 ? (heads[0] as string).trimEnd() : '';
  const rest = (heads[0] as string).slice(head.length);
  const first = head === '' ? call : `${rest === '' ? '' : `${literal(rest)} `}${inputs[0]}`;
  const more = single || syntax.between === null ? '' : ` (${literal(syntax.between)} ${call}){0,${MAX_CALLS - 1}}`;
  return {
    opening: syntax.open + head,
    head,
    grammar: grammar.text(`${first}${more}${syntax.close === '' ? '' : ` ${literal(syntax.close)}`}`),
  };
}
