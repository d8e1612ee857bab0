// venom mcp definitions: what a server offers beside tools, what changed in its words, and a yes to exactly what was shown.
import { createHash } from 'node:crypto';
import { AppError } from '../../shared/errors.js';
import type { CommandContext } from '../command-context.js';
import { table } from '../terminal.js';

const DESCRIPTION_CHARS = 80;
const HASH_CHARS = 16;

interface Definition {
  kind: string;
  name: string;
  description: string;
  state: string;
  hash: string;
  refused: string | null;
  changes: { field: string; before: unknown; after: unknown }[];
}

/** @param approve  of everything that waits, as it was shown by a call without it */
export async function listDefinitions(
  context: CommandContext,
  name: string,
  { approve }: { approve?: string },
): Promise<void> {
  const client = await context.server();
  const path = `/api/v1/mcp/servers/${encodeURIComponent(name)}/definitions`;
  const answer = await client.get<{ definitions: Definition[] }>(path);
  const unread = answer.definitions.filter(({ state }) => state === 'quarantined');
  const together = createHash('sha256')
    .update(unread.map(({ hash }) => hash).join('\n'))
    .digest('hex')
    .slice(0, HASH_CHARS);
  if (approve !== undefined) {
    if (approve !== together || unread.length === 0)
      throw new AppError('approval_stale', 'This is not what was shown; look at it again.');
    const definitions = unread.map(({ kind, name: own, hash }) => ({ kind, name: own, hash }));
    const after = await client.post(`${path}/approve`, { definitions });
    return context.terminal.result(after, `${unread.length} definitions of ${name} may be used.`);
  }
  const rows = answer.definitions.map((each) => [
    each.kind,
    each.name,
    each.state,
    (each.refused ?? each.description).split('\n')[0]?.slice(0, DESCRIPTION_CHARS) ?? '',
  ]);
  context.terminal.result(
    answer,
    rows.length === 0
      ? `${name} offers nothing but tools.`
      : [
          table(['KIND', 'NAME', 'STATE', ''], rows),
          ...unread.map((each) => [`${each.kind} ${each.name}:`, ...differences(each.changes)].join('\n')),
          ...(unread.length > 0
            ? [`Agree to exactly these ${unread.length}:  venom mcp definitions ${name} --approve ${together}`]
            : []),
        ].join('\n\n'),
  );
}

const differences = (changes: Definition['changes']): string[] =>
  changes.flatMap(({ field, before, after }) => [
    `  ${field}:`,
    ...(before === null ? [] : [`  - ${JSON.stringify(before)}`]),
    ...(after === null ? [] : [`  + ${JSON.stringify(after)}`]),
  ]);
