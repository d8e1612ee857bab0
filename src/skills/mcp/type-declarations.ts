// A server's tools as TypeScript types, for developers to read. Made only of encoded literals and identifiers that match a
// strict pattern; nothing here ever loads it.
import type { ToolDescriptor } from '../ports.js';

const IDENTIFIER = /^[A-Za-z_$][A-Za-z0-9_$]{0,63}$/;
const DEPTH_MAX = 8;

export function typeDeclarations(tools: readonly ToolDescriptor[]): string {
  const lines = tools.flatMap(({ name, description, inputSchema }) => [
    `  /** ${comment(description)} */`,
    `  ${literal(name)}: (input: ${typeOf(inputSchema, 0)}) => Promise<unknown>;`,
  ]);
  return `// Made from stored definitions; descriptions are the server's words.\nexport interface Tools {\n${lines.join('\n')}\n}\n`;
}

function typeOf(schema: unknown, depth: number): string {
  if (typeof schema !== 'object' || schema === null || depth > DEPTH_MAX) return 'unknown';
  const { type, enum: choices, properties, required, items } = schema as Record<string, unknown>;
  if (
    Array.isArray(choices) &&
    choices.length > 0 &&
    choices.length <= 100 &&
    choices.every((choice) => typeof choice === 'string')
  )
    return choices.map(literal).join(' | ');
  if (type === 'string') return 'string';
  if (type === 'number' || type === 'integer') return 'number';
  if (type === 'boolean') return 'boolean';
  if (type === 'null') return 'null';
  if (type === 'array') return `readonly (${typeOf(items, depth + 1)})[]`;
  if (type !== 'object') return 'unknown';
  if (typeof properties !== 'object' || properties === null) return 'Record<string, unknown>';
  const needed = new Set(Array.isArray(required) ? required : []);
  const fields = Object.entries(properties).map(
    ([name, own]) =>
      `${IDENTIFIER.test(name) ? name : literal(name)}${needed.has(name) ? '' : '?'}: ${typeOf(own, depth + 1)}`,
  );
  return fields.length === 0 ? 'Record<string, unknown>' : `{ ${fields.join('; ')} }`;
}

/** JSON, without the two characters that end a line in source code and not in JSON, and without an end of a comment. */
const literal = (text: unknown): string =>
  JSON.stringify(text)
    .replace(/[\u2028\u2029]/g, (end) => `\\u${end.charCodeAt(0).toString(16)}`)
    .replaceAll('*/', '*\\/');

const comment = (text: string): string => literal(text.slice(0, 1_000));
