// The names under which a model calls the tools of servers: `server__tool`, at most 64 characters, the same every time.
import { createHash } from 'node:crypto';

const NAME_CHARS = 64;
const HASH_CHARS = 10;

/**
 * A name that has to be changed or cut carries a hash of the whole, so that two that look alike afterwards stay two.
 * Server names hold no `__`, so that nothing of one server can pass for another's.
 */
export function toolName(server: string, tool: string): string {
  const clean = tool.replace(/[^A-Za-z0-9_-]/g, '_');
  const plain = `${server}__${clean}`;
  if (clean === tool && plain.length <= NAME_CHARS) return plain;
  const hash = createHash('sha256').update(`${server}\0${tool}`).digest('hex').slice(0, HASH_CHARS);
  return `${plain.slice(0, NAME_CHARS - HASH_CHARS - 1)}_${hash}`;
}

/** In the order of the tools; one whose name is taken already has none. */
export function toolNames(server: string, tools: readonly string[]): (string | null)[] {
  const taken = new Set<string>();
  return tools.map((tool) => {
    const name = toolName(server, tool);
    if (taken.has(name)) return null;
    taken.add(name);
    return name;
  });
}
