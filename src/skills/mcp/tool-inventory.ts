// What a server's tools are, compared with what a person agreed to: a definition that is new or has changed waits. Pure.
import type { Permission } from '../ports.js';
import { boundsRefusal, schemaRefusal } from './schema-bounds.js';
import { definitionHash, type StoredTool, type ToolDefinition } from './server-definition.js';

export const TOOLS_MAX = 500;
const NAME_CHARS = 256;
const DESCRIPTION_CHARS = 16_000;

export interface ToolChange {
  field: 'title' | 'description' | 'inputSchema' | 'outputSchema' | 'annotations';
  before: unknown;
  after: unknown;
}

/** Only what is read or passed on is kept, and hashed. */
export function toDefinition(tool: Readonly<Record<string, unknown>>): ToolDefinition {
  const { name, title, description, inputSchema, outputSchema, annotations } = tool;
  return {
    name: String(name),
    ...(typeof title === 'string' ? { title } : {}),
    ...(typeof description === 'string' ? { description } : {}),
    inputSchema: asObject(inputSchema) ?? { type: 'object' },
    ...(asObject(outputSchema) ? { outputSchema: asObject(outputSchema) } : {}),
    ...(asObject(annotations) ? { annotations: asObject(annotations) } : {}),
  };
}

/** Why a tool cannot be offered at all; null where it can. */
export function refusalOf(definition: ToolDefinition): string | null {
  if (definition.name === '' || definition.name.length > NAME_CHARS)
    return `Its name is empty or longer than ${NAME_CHARS} characters.`;
  if ((definition.description?.length ?? 0) > DESCRIPTION_CHARS)
    return `Its description is longer than ${DESCRIPTION_CHARS} characters.`;
  if (definition.inputSchema['type'] !== 'object') return 'Its input is no object.';
  return (
    schemaRefusal(definition.inputSchema) ??
    (definition.outputSchema ? schemaRefusal(definition.outputSchema) : null) ??
    boundsRefusal(definition.annotations, 'What it says of itself')
  );
}

export interface MergeOptions {
  /** First import: what is there is what the person agreed to. */
  approveAll: boolean;
  permissionOf: (definition: ToolDefinition) => Permission;
}

/** @returns the tools in the order of their names; of two with one name the first counts, the other is refused */
export function mergeTools(
  known: readonly StoredTool[],
  listed: readonly Readonly<Record<string, unknown>>[],
  { approveAll, permissionOf }: MergeOptions,
): StoredTool[] {
  const before = new Map(known.map((tool) => [tool.definition.name, tool]));
  const seen = new Map<string, StoredTool>();
  for (const tool of listed.slice(0, TOOLS_MAX)) {
    const definition = toDefinition(tool);
    const twin = seen.get(definition.name);
    if (twin) {
      // Which of the two a call would reach is the server's secret.
      seen.set(definition.name, { ...twin, refused: 'The server lists two tools of this name.' });
      continue;
    }
    const hash = definitionHash(definition);
    const former = before.get(definition.name);
    const refused = refusalOf(definition);
    seen.set(definition.name, {
      definition: refused
        ? { name: definition.name.slice(0, NAME_CHARS), inputSchema: { type: 'object' } }
        : definition,
      hash,
      approved: approveAll && !refused ? { hash, definition } : (former?.approved ?? null),
      permission: former?.permission ?? permissionOf(definition),
      refused,
      gone: false,
    });
  }
  for (const [name, tool] of before) if (!seen.has(name) && tool.approved) seen.set(name, { ...tool, gone: true });
  return [...seen.values()].sort((a, b) => (a.definition.name < b.definition.name ? -1 : 1));
}

export const isCallable = (tool: StoredTool): boolean =>
  !tool.gone && tool.refused === null && tool.approved?.hash === tool.hash;

export const isQuarantined = (tool: StoredTool): boolean =>
  !tool.gone && tool.refused === null && tool.approved?.hash !== tool.hash;

/** What differs from what was agreed to; everything, for a tool that is new. */
export function changesOf({ approved, definition }: StoredTool): ToolChange[] {
  const fields = ['title', 'description', 'inputSchema', 'outputSchema', 'annotations'] as const;
  return fields.flatMap((field) => {
    const before = approved?.definition[field] ?? null;
    const after = definition[field] ?? null;
    return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ field, before, after }];
  });
}

const asObject = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
