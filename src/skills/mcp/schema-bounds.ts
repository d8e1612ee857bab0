// JSON Schemas and values that come from outside are bounded before anything else reads them.

const DEPTH_MAX = 32;
const NODES_MAX = 5_000;
const CHARS_MAX = 131_072;
const FORBIDDEN_NAMES = new Set(['__proto__', 'constructor', 'prototype']);

/** Why a schema is refused; null where it is not. */
export function schemaRefusal(schema: unknown): string | null {
  const bounded = boundsRefusal(schema, 'Its schema');
  if (bounded) return bounded;
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return 'Its schema is no object.';
  const open: unknown[] = [schema];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    for (const [name, value] of Object.entries(next)) {
      if (FORBIDDEN_NAMES.has(name)) return `Its schema has a field named ${name}.`;
      if ((name === '$ref' || name === '$dynamicRef') && typeof value === 'string' && !value.startsWith('#'))
        return 'Its schema refers to another document.';
      open.push(value);
    }
  }
  return null;
}

/** Counted without recursion: what comes from outside may be as deep as it likes. */
export function boundsRefusal(value: unknown, what: string): string | null {
  const open: { value: unknown; depth: number }[] = [{ value, depth: 0 }];
  let nodes = 0;
  let chars = 0;
  for (let next = open.pop(); next; next = open.pop()) {
    nodes += 1;
    if (typeof next.value === 'string') chars += next.value.length;
    if (next.depth > DEPTH_MAX) return `${what} is nested more than ${DEPTH_MAX} levels.`;
    if (nodes > NODES_MAX) return `${what} has more than ${NODES_MAX} parts.`;
    if (chars > CHARS_MAX) return `${what} has more than ${CHARS_MAX} characters.`;
    if (typeof next.value !== 'object' || next.value === null) continue;
    for (const [name, own] of Object.entries(next.value)) {
      chars += name.length;
      open.push({ value: own, depth: next.depth + 1 });
    }
  }
  return null;
}
