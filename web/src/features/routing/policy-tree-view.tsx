// A policy as sentences, one inside the other.
import { Badge, Group, Text } from '@mantine/core';
import { IconArrowsSplit, IconCloud, IconHome, IconScale, IconStairsDown } from '@tabler/icons-react';
import type { TFunction } from 'i18next';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { nodesTaken, type PolicyNode } from './policy-path';

export function PolicyTreeView({ node, path }: { node: PolicyNode; path: readonly string[] | null }) {
  const { t } = useTranslation();
  return (
    <ul className="policy-tree" aria-label={t('routing.policy.tree')}>
      <Branch node={node} taken={nodesTaken(node, path)} />
    </ul>
  );
}

function Branch({ node, taken, when }: { node: PolicyNode; taken: ReadonlySet<PolicyNode>; when?: string }) {
  const { t } = useTranslation();
  const onTheWay = taken.has(node);
  return (
    <li data-taken={onTheWay}>
      <Group gap={8} className="policy-node" wrap="nowrap" align="flex-start">
        <span className="policy-icon" aria-hidden>
          {iconOf(node)}
        </span>
        <div style={{ minWidth: 0 }}>
          {when && (
            <Text size="xs" className="muted">
              {when}
            </Text>
          )}
          <Group gap={6}>
            <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
              {titleOf(node, t)}
            </Text>
            {onTheWay && (
              <Badge size="xs" variant="light" tt="none">
                {t('routing.policy.taken')}
              </Badge>
            )}
          </Group>
        </div>
      </Group>
      {node.kind !== 'single' && <ul>{childrenOf(node, taken, t)}</ul>}
    </li>
  );
}

function iconOf(node: PolicyNode): ReactNode {
  switch (node.kind) {
    case 'single':
      return node.target.where === 'local' ? <IconHome size={16} /> : <IconCloud size={16} />;
    case 'fallback':
      return <IconStairsDown size={16} />;
    case 'balance':
      return <IconScale size={16} />;
    case 'conditional':
      return <IconArrowsSplit size={16} />;
  }
}

function titleOf(node: PolicyNode, t: TFunction): string {
  if (node.kind !== 'single') return t(`routing.node.${node.kind}`);
  const { where, provider, model, tier } = node.target;
  const named = [provider, model, !model && tier ? t(`routing.tier.${tier}`) : null].filter(Boolean).join(' · ');
  return [t(where === 'local' ? 'routing.node.local' : 'routing.node.cloud'), named].filter(Boolean).join(' · ');
}

function childrenOf(node: Exclude<PolicyNode, { kind: 'single' }>, taken: ReadonlySet<PolicyNode>, t: TFunction) {
  // biome-ignore-start lint/suspicious/noArrayIndexKey: the order of the nodes is all they have, and what the tree means
  if (node.kind === 'fallback')
    return node.nodes.map((child, index) => (
      <Branch key={index} node={child} taken={taken} when={index === 0 ? t('routing.first') : t('routing.then')} />
    ));
  if (node.kind === 'balance') {
    const total = node.choices.reduce((sum, { weight }) => sum + weight, 0);
    return node.choices.map(({ weight, node: child }, index) => (
      <Branch key={index} node={child} taken={taken} when={`${Math.round((weight / total) * 100)} %`} />
    ));
  }
  return [
    ...node.cases.map(({ when, node: child }, index) => (
      <Branch key={index} node={child} taken={taken} when={t('routing.if', { condition: conditionOf(when, t) })} />
    )),
    <Branch key="otherwise" node={node.otherwise} taken={taken} when={t('routing.otherwise')} />,
  ];
  // biome-ignore-end lint/suspicious/noArrayIndexKey: as above
}

type Condition = Extract<PolicyNode, { kind: 'conditional' }>['cases'][number]['when'];

function conditionOf(when: Condition, t: TFunction): string {
  const parts = Object.entries(when).map(([name, value]) => {
    const label = t(`routing.condition.${name}`);
    if (Array.isArray(value)) {
      const names = value.map((each) => t([`routing.task.${each}`, `chat.mode.${each}`], { defaultValue: each }));
      return `${label}: ${names.join(', ')}`;
    }
    if (typeof value === 'boolean') return `${label}: ${t(value ? 'routing.yes' : 'routing.no')}`;
    const { min, max } = value as { min?: number; max?: number };
    return `${label} ${[min === undefined ? null : `≥ ${min}`, max === undefined ? null : `≤ ${max}`].filter(Boolean).join(', ')}`;
  });
  return parts.join(' · ') || t('routing.always');
}
