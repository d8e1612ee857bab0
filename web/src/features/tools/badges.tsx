// What is seen of a server at a glance: what it does now, and how well it is kept away from this machine.
import { Badge, Tooltip } from '@mantine/core';
import { IconCloud, IconShieldCheck, IconShieldHalf, IconShieldOff } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { McpServer } from './api/get-servers';

const STATE_COLORS: Record<McpServer['state'], string> = {
  running: 'teal',
  known: 'gray',
  configured: 'gray',
  needs_authorization: 'yellow',
  starting: 'blue',
  backing_off: 'orange',
  crash_loop: 'red',
  disabled: 'gray',
};

const TIERS = {
  sandboxed: { color: 'teal', Icon: IconShieldCheck },
  namespaced: { color: 'blue', Icon: IconShieldHalf },
  plain: { color: 'orange', Icon: IconShieldOff },
  remote: { color: 'gray', Icon: IconCloud },
} as const;

export type Tier = keyof typeof TIERS;

export function StateBadge({ state }: { state: McpServer['state'] }) {
  const { t } = useTranslation();
  return (
    <Tooltip label={t(`tools.state.${state}.about`)} multiline maw={300}>
      <Badge variant="dot" size="sm" tt="none" color={STATE_COLORS[state]}>
        {t(`tools.state.${state}`)}
      </Badge>
    </Tooltip>
  );
}

export function TierBadge({ tier }: { tier: Tier }) {
  const { t } = useTranslation();
  const { color, Icon } = TIERS[tier];
  return (
    <Tooltip label={t(`tools.tier.${tier}.about`)} multiline maw={320}>
      <Badge variant="light" size="sm" tt="none" color={color} leftSection={<Icon size={12} aria-hidden />}>
        {t(`tools.tier.${tier}`)}
      </Badge>
    </Tooltip>
  );
}

/** Of a server's: remote where nothing runs here; null where it may not run at all. */
export const tierOf = ({ transport, isolation }: Pick<McpServer, 'transport' | 'isolation'>): Tier | null =>
  transport === 'stdio' ? isolation : 'remote';
