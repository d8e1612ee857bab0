// Which nodes of a policy a dry run went through, from the words it tells its way in.
import type { z } from 'zod';
import type { PolicyTree } from '../../../../src/contract/routing';

export type PolicyNode = z.output<typeof PolicyTree>;

/** Every node on the way. A fallback's children are all on it: they are tried in turn. */
export function nodesTaken(root: PolicyNode, path: readonly string[] | null): ReadonlySet<PolicyNode> {
  const taken = new Set<PolicyNode>();
  if (!path) return taken;
  const left = [...path];
  const walk = (node: PolicyNode): void => {
    const word = left.shift();
    if (word === undefined) return;
    taken.add(node);
    const numbered = Number(/(?:case|choice) (\d+) of/.exec(word)?.[1] ?? 0);
    if (node.kind === 'fallback') for (const child of node.nodes) walk(child);
    else if (node.kind === 'balance') {
      const choice = node.choices[numbered - 1];
      if (choice) walk(choice.node);
    } else if (node.kind === 'conditional') {
      walk(node.cases[numbered - 1]?.node ?? node.otherwise);
    }
  };
  walk(root);
  return taken;
}
