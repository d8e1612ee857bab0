// What a server claims of its tool, and how the arguments of a call are named for a person, in the contract's names.
import type { z } from 'zod';
import type { ToolClaims as Shape } from '../../contract/skills.js';
import type { ToolClaims } from '../../skills/ports.js';

const TITLE_CHARS = 100;
/** Whoever has to see a text must see all of it. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}]/gu;

export const toClaims = ({ readOnly, destructive, idempotent, openWorld }: ToolClaims): z.output<typeof Shape> => ({
  read_only: readOnly,
  destructive,
  idempotent,
  open_world: openWorld,
});

/** Of each argument that the schema gives a title. */
export function argumentTitles(
  schema: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, unknown>>,
): Record<string, string> {
  const properties = schema['properties'];
  if (typeof properties !== 'object' || properties === null) return {};
  return Object.fromEntries(
    Object.keys(given).flatMap((name) => {
      const property: unknown = Object.hasOwn(properties, name) ? Reflect.get(properties, name) : undefined;
      const title =
        typeof property === 'object' && property !== null && 'title' in property ? property.title : undefined;
      return typeof title === 'string' && title.trim() !== ''
        ? [[name, title.replace(INVISIBLE, '').slice(0, TITLE_CHARS)]]
        : [];
    }),
  );
}
