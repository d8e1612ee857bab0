// JSON as the grammars let a model write it.

/** JSON with the blanks the grammar writes, which are those of Python's `json.dumps` that models were trained on. */
export function spacedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spacedJson).join(', ')}]`;
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([name, member]) => `${JSON.stringify(name)}: ${spacedJson(member)}`)
      .join(', ')}}`;
  return JSON.stringify(value) ?? 'null';
}
