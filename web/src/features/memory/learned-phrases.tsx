// Phrases whose meaning was worked out, which nothing uses before somebody agrees.
import { ActionIcon, Badge, Button, Group, SegmentedControl, Select, Stack, Text, Tooltip } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { LearnedPhraseItem } from '../../../../src/contract/intents';
import { Empty, Failed, Loading } from '../../components/states';
import { type LearnedPhrase, useLearnedPhrases } from './api/get-learning';
import { useMemoryAction } from './api/get-memory';

const STATES = ['proposed', 'approved', 'rejected'] as const;

export function LearnedPhrases() {
  const { t } = useTranslation();
  const [state, setState] = useState<LearnedPhrase['state']>('proposed');
  const phrases = useLearnedPhrases(state);
  return (
    <Stack>
      <Group justify="space-between">
        <Text size="sm" className="muted" maw={640}>
          {t('memory.phrases.lead')}
        </Text>
        <SegmentedControl
          size="xs"
          aria-label={t('memory.phrases.state')}
          value={state}
          data={STATES.map((value) => ({ value, label: t(`memory.phrases.${value}`) }))}
          onChange={(value) => setState(value as LearnedPhrase['state'])}
        />
      </Group>
      {phrases.isPending && <Loading />}
      {phrases.isError && <Failed error={phrases.error} onRetry={() => void phrases.refetch()} />}
      {phrases.data?.phrases.length === 0 && <Empty>{t(`memory.phrases.empty.${state}`)}</Empty>}
      {phrases.data?.phrases.map((phrase) => (
        <PhraseCard key={phrase.id} phrase={phrase} />
      ))}
    </Stack>
  );
}

function PhraseCard({ phrase }: { phrase: LearnedPhrase }) {
  const { t } = useTranslation();
  const [intent, setIntent] = useState(phrase.intent);
  const action = useMemoryAction();
  const base = `/intents/learned/${phrase.id}`;
  return (
    <article className="panel" style={{ padding: 14 }}>
      <Text size="sm" fw={500} style={{ overflowWrap: 'anywhere' }}>
        “{phrase.phrase}”
      </Text>
      <Group gap={6} mt={4} mb="xs">
        <Badge size="sm" variant="default">
          {phrase.language}
        </Badge>
        <Text size="xs" className="muted">
          {t(`memory.phrases.by.${phrase.source}`)} · {t('memory.phrases.seen', { value: phrase.seen })}
        </Text>
      </Group>
      <Group gap="xs">
        <Select
          size="xs"
          w={210}
          aria-label={t('memory.phrases.intent')}
          allowDeselect={false}
          value={intent}
          data={LearnedPhraseItem.shape.intent.options.map((value) => ({
            value,
            label: t(`intent.${value}`, { defaultValue: value }),
          }))}
          onChange={(value) => value && setIntent(value as typeof intent)}
        />
        {(phrase.state !== 'approved' || intent !== phrase.intent) && (
          <Button
            size="xs"
            loading={action.isPending}
            onClick={() => action.mutate({ path: `${base}/approve`, json: { intent } })}
          >
            {t('memory.phrases.approve')}
          </Button>
        )}
        {phrase.state !== 'rejected' && (
          <Button size="xs" variant="default" onClick={() => action.mutate({ path: `${base}/reject`, method: 'POST' })}>
            {t('memory.phrases.reject')}
          </Button>
        )}
        <Tooltip label={t('memory.forget')}>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={`${t('memory.forget')} ${phrase.phrase}`}
            onClick={() => action.mutate({ path: base, method: 'DELETE' })}
          >
            <IconTrash size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Group>
    </article>
  );
}
