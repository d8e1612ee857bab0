// The line a tool is known by in a list: its name, what it says of itself, its price in tokens and who may call it.
import { Badge, type BadgeProps, Group, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { number } from '../../lib/format';
import { visibleText } from '../../lib/visible-text';

export function ToolHead({
  name,
  title = null,
  text,
  promptTokens,
  badge,
}: {
  name: string;
  /** How people call it, where that is something else. */
  title?: string | null;
  text: string;
  /** Null where it is not offered to models. */
  promptTokens: number | null;
  badge: Pick<BadgeProps, 'variant' | 'color' | 'children'>;
}) {
  const { t, i18n } = useTranslation();
  return (
    <Group justify="space-between" wrap="nowrap" gap="sm">
      <div style={{ minWidth: 0 }}>
        <span style={{ display: 'block' }}>
          {title !== null && (
            <Text component="span" size="sm" fw={600} mr={8} style={{ overflowWrap: 'anywhere' }}>
              {visibleText(title)}
            </Text>
          )}
          <Text
            component="span"
            ff="monospace"
            size={title === null ? 'sm' : 'xs'}
            fw={title === null ? 600 : 400}
            style={{ overflowWrap: 'anywhere' }}
          >
            {name}
          </Text>
        </span>
        <Text component="span" size="xs" className="muted" lineClamp={1}>
          {visibleText(text)}
        </Text>
      </div>
      <Group gap={6} wrap="nowrap" style={{ flex: 'none' }}>
        {promptTokens !== null && (
          <Text component="span" size="xs" className="muted figure" visibleFrom="sm">
            {t('tools.tokens', { value: number(promptTokens, i18n.language, 0) })}
          </Text>
        )}
        <Badge size="sm" tt="none" {...badge} />
      </Group>
    </Group>
  );
}
