// One model of a catalogue: what it is, whether it runs here, and the way to have it.
import { Anchor, Badge, Button, Group, Progress, Text } from '@mantine/core';
import { useInViewport } from '@mantine/hooks';
import { IconDownload } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { bytes, number } from '../../lib/format';
import type { Operation } from '../../lib/operations';
import type { Discovered } from './api/discover';
import { FitBadge } from './fit-badge';

export function EntryCard({
  entry,
  installing,
  onInstall,
}: {
  entry: Discovered;
  installing: Operation | undefined;
  onInstall: (entry: Discovered) => void;
}) {
  const { t, i18n } = useTranslation();
  const { ref, inViewport } = useInViewport<HTMLElement>();
  const action = t(entry.installed ? 'discover.again' : 'discover.install');
  const licenceIs = t(`discover.filter.licence.${entry.licence_class}`);
  return (
    <article
      ref={ref}
      className="panel"
      aria-label={entry.model_name}
      style={{ padding: 16, display: 'flex', flexDirection: 'column', gap: 8 }}
    >
      <Group justify="space-between" gap={6} wrap="nowrap" align="flex-start">
        <Text fw={600} style={{ overflowWrap: 'anywhere' }}>
          {entry.model_name}
        </Text>
        <Text size="xs" className="muted" style={{ whiteSpace: 'nowrap' }} mt={3}>
          {t(`discover.source.${entry.provider}`, { defaultValue: entry.provider })}
        </Text>
      </Group>
      {entry.description && (
        <Text size="sm" className="muted" lineClamp={2}>
          {entry.description}
        </Text>
      )}
      <FitBadge model={entry} visible={inViewport} />
      <Group gap={6}>
        <Badge variant="default" size="sm" tt="none" title={t('discover.licence', { licence: licenceIs })}>
          {entry.licence ?? t('discover.licence.none')}
        </Badge>
        {entry.abilities
          .filter((ability) => ability !== 'chat')
          .map((ability) => (
            <Badge key={ability} variant="default" size="sm" tt="none">
              {t(`discover.ability.${ability}`)}
            </Badge>
          ))}
        {entry.gated && (
          <Badge color="orange" variant="dot" size="sm">
            {t('discover.gated')}
          </Badge>
        )}
        {entry.installed && (
          <Badge color="teal" variant="dot" size="sm" tt="none">
            {t('discover.installed')}
          </Badge>
        )}
        {entry.problem && (
          <Badge color="red" variant="dot" size="sm" tt="none" title={entry.problem}>
            {t('discover.problem')}
          </Badge>
        )}
        {tagsOf(entry).map((tag) => (
          <Badge key={tag} variant="default" size="sm" tt="none">
            {tag}
          </Badge>
        ))}
      </Group>
      {installing && (
        <Progress
          value={installing.progress}
          animated={installing.progress === 0}
          aria-label={`${entry.model_name}: ${Math.round(installing.progress)} %`}
        />
      )}
      <Group justify="space-between" mt="auto" pt={6}>
        <Text size="xs" className="muted">
          {[
            entry.size_bytes === null
              ? null
              : `${entry.size_is_estimate ? '≈ ' : ''}${bytes(entry.size_bytes, i18n.language)}`,
            entry.parameters === null
              ? null
              : t('discover.parameters', { value: counted(entry.parameters, i18n.language) }),
            entry.downloads === null
              ? null
              : t('discover.downloads', { value: number(entry.downloads, i18n.language, 0) }),
          ]
            .filter(Boolean)
            .join(' · ')}
        </Text>
        {installing ? (
          <Anchor component={Link} to="/activity" size="sm" aria-label={`${t('discover.follow')} ${entry.model_name}`}>
            {t('discover.follow')}
          </Anchor>
        ) : entry.installed && entry.provider === 'local' ? (
          <Anchor component={Link} to="/models" size="sm" aria-label={`${t('discover.open')}: ${entry.model_name}`}>
            {t('discover.open')}
          </Anchor>
        ) : (
          <Button
            size="compact-sm"
            variant={entry.installed ? 'default' : 'light'}
            leftSection={<IconDownload size={14} aria-hidden />}
            disabled={entry.problem !== null}
            onClick={() => onInstall(entry)}
            aria-label={`${action} ${entry.model_name}`}
          >
            {action}
          </Button>
        )}
      </Group>
    </article>
  );
}

const MAX_TAGS = 4;
/** Said by something else on the card, or by being listed at all. */
const SAID = new Set([
  'gguf',
  'conversational',
  'text-generation',
  'transformers',
  'safetensors',
  'endpoints_compatible',
]);

const tagsOf = ({ sizes, tags, abilities, licence }: Discovered): string[] =>
  [...new Set([...sizes, ...tags])]
    .filter((tag) => !SAID.has(tag) && tag !== licence && !(abilities as string[]).includes(tag))
    .slice(0, MAX_TAGS);

/** `8B`, `135M`, as models are called everywhere. */
const counted = (parameters: number, language: string): string =>
  parameters >= 1e9 ? `${number(parameters / 1e9, language)}B` : `${number(parameters / 1e6, language, 0)}M`;
