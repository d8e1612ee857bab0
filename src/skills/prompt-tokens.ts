// What a tool takes of a prompt in which it is offered; an estimate, since each model counts in its own way. Pure.
import type { ToolDescriptor } from './ports.js';

/** A longer description is cut when the tool is offered. */
export const OFFERED_DESCRIPTION_CHARS = 600;
const CHARS_PER_TOKEN = 3;
/** Definitions never change, and lists of thousands are asked for again and again. */
const known = new WeakMap<object, number>();

export function promptTokens(tool: Pick<ToolDescriptor, 'name' | 'description' | 'inputSchema'>): number {
  const before = known.get(tool);
  if (before !== undefined) return before;
  const { name, description, inputSchema } = tool;
  const chars =
    name.length + Math.min(description.length, OFFERED_DESCRIPTION_CHARS) + JSON.stringify(inputSchema).length;
  const tokens = Math.ceil(chars / CHARS_PER_TOKEN);
  known.set(tool, tokens);
  return tokens;
}
