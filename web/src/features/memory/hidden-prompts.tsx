// Answers that were approved with a thumb up; one that is switched on is shown to the model as an example.
import { Badge, Group, Stack, Switch, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Excerpt } from '../../components/excerpt';
import { Empty, Failed, Loading } from '../../components/states';
import { day } from '../../lib/format';
import { useHiddenPrompts } from './api/get-learning';
import { useMemoryAction } from './api/get-memory';

export function HiddenPrompts() {
  const { t, i18n } = useTranslation();
  const prompts = useHiddenPrompts();
  const action = useMemoryAction();
  return (
    <Stack>
      <Text size="sm" className="muted" maw={640}>
        {t('memory.examples.lead')}
      </Text>
      {prompts.isPending && <Loading />}
      {prompts.isError && <Failed error={prompts.error} onRetry={() => void prompts.refetch()} />}
      {prompts.data?.length === 0 && <Empty>{t('memory.examples.empty')}</Empty>}
      {prompts.data?.map((item) => (
        <article key={`${item.intent} ${item.prompt_hash}`} className="panel" style={{ padding: 14 }}>
          <Group justify="space-between" wrap="nowrap" align="flex-start">
            <div style={{ minWidth: 0 }}>
              <Text size="sm" fw={500} lineClamp={2} style={{ overflowWrap: 'anywhere' }}>
                {item.prompt}
              </Text>
              <Excerpt text={item.approved_response} />
              <Group gap={6} mt={6}>
                <Badge size="sm" variant="light" tt="none">
                  {t(`intent.${item.intent}`, { defaultValue: item.intent })}
                </Badge>
                <Text size="xs" className="muted">
                  {t('memory.examples.score', { value: item.score })} · {day(item.last_timestamp, i18n.language)}
                </Text>
              </Group>
            </div>
            <Switch
              size="sm"
              aria-label={`${t('memory.examples.use')}: ${item.prompt.slice(0, 80)}`}
              checked={item.active}
              disabled={action.isPending}
              onChange={(event) =>
                action.mutate({
                  path: '/learning/hidden-prompts/active',
                  json: {
                    intent: item.intent,
                    prompt: item.prompt,
                    approved_response: item.approved_response,
                    prompt_hash: item.prompt_hash,
                    active: event.currentTarget.checked,
                    actor: 'ui',
                  },
                })
              }
            />
          </Group>
        </article>
      ))}
    </Stack>
  );
}
