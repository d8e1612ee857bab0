// What an answer's parameters became: which engine, what it was sent, and what was left out or changed on the way.
import { ActionIcon, Badge, Group, Indicator, Popover, Stack, Table, Text } from '@mantine/core';
import { IconAdjustmentsHorizontal } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { RanWithReport } from './api/sessions';

export function RanWith({ ran }: { ran: RanWithReport }) {
  const { t } = useTranslation();
  const changed = ran.dropped.length + ran.clamped.length + ran.unknown.length;
  return (
    <Popover width={300} position="top" withArrow shadow="md" trapFocus returnFocus>
      <Indicator disabled={changed === 0} color="orange" size={7} offset={5}>
        <Popover.Target>
          <ActionIcon variant="subtle" color="gray" size="md" aria-label={t('chat.ranWith')}>
            <IconAdjustmentsHorizontal size={16} aria-hidden />
          </ActionIcon>
        </Popover.Target>
      </Indicator>
      <Popover.Dropdown aria-label={t('chat.ranWith')}>
        <Stack gap="xs">
          <Text size="sm" fw={600} style={{ overflowWrap: 'anywhere' }}>
            {t('chat.ranWith.on', { engine: ran.runtime, model: ran.model })}
          </Text>
          {Object.keys(ran.sent).length === 0 ? (
            <Text size="xs" className="muted">
              {t('chat.ranWith.nothing')}
            </Text>
          ) : (
            <Table verticalSpacing={2} fz="xs" aria-label={t('chat.ranWith.sent')}>
              <Table.Tbody>
                {Object.entries(ran.sent).map(([name, value]) => (
                  <Table.Tr key={name}>
                    <Table.Td>{name}</Table.Td>
                    <Table.Td ta="right" className="figure">
                      {typeof value === 'object' ? JSON.stringify(value).slice(0, 80) : String(value)}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          )}
          {ran.clamped.map(({ name, from, to }) => (
            <Text key={name} size="xs">
              {t('chat.ranWith.clamped', { name, from, to })}
            </Text>
          ))}
          <Names label={t('chat.ranWith.dropped', { engine: ran.runtime })} names={ran.dropped} />
          <Names label={t('chat.ranWith.unknown')} names={ran.unknown} />
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}

function Names({ label, names }: { label: string; names: string[] }) {
  if (names.length === 0) return null;
  return (
    <div>
      <Text size="xs">{label}</Text>
      <Group gap={4} mt={2}>
        {names.map((name) => (
          <Badge key={name} variant="light" color="orange" size="sm" tt="none">
            {name}
          </Badge>
        ))}
      </Group>
    </div>
  );
}
