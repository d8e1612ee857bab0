// What a server says its tool does, marked as the server's own word.
import { Badge, Group, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { z } from 'zod';
import type { ToolClaims } from '../../../src/contract/skills';

type Claims = z.output<typeof ToolClaims>;

export function ClaimedBadges({ claims }: { claims: Claims }) {
  const { t } = useTranslation();
  const said = [
    ...(claims.read_only === null ? [] : [claims.read_only ? 'reads' : 'writes']),
    ...(claims.destructive === null || claims.read_only === true ? [] : [claims.destructive ? 'destroys' : 'adds']),
    ...(claims.open_world === null ? [] : [claims.open_world ? 'open' : 'closed']),
  ];
  return (
    <Group gap={6}>
      <Text size="xs" className="muted">
        {t(said.length === 0 ? 'approval.claims.none' : 'approval.claims')}
      </Text>
      {said.map((claim) => (
        <Badge key={claim} size="sm" variant="outline" color={claim === 'destroys' ? 'red' : 'gray'} tt="none">
          {t(`approval.claims.${claim}`)}
        </Badge>
      ))}
    </Group>
  );
}
