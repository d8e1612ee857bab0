// One installed model: what it was measured to do, and the parameters it runs with.
import { Button, Drawer, Group, Loader, NumberInput, Stack, Text, Title } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Empty, Failed, Loading } from '../../components/states';
import { bytes, moment, number } from '../../lib/format';
import { isRunning, useModelAction, useOperations } from '../../lib/operations';
import { type ModelRef, useCapabilities, useConfig, useSaveConfig } from './api/get-versions';
import { ProbeResults } from './probe-results';

export function ModelDetails({ model, onClose }: { model: ModelRef | null; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Drawer
      opened={model !== null}
      onClose={onClose}
      position="right"
      title={model?.name}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <Stack gap="xl">
        <Measured model={model} />
        <Parameters model={model} />
      </Stack>
    </Drawer>
  );
}

function Measured({ model }: { model: ModelRef | null }) {
  const { t, i18n } = useTranslation();
  const action = useModelAction();
  // The newest trial of it, running or not.
  const last = useOperations().data?.find(
    ({ operation_type, model_name, runtime }) =>
      operation_type === 'probe' && model_name === model?.name && runtime === model.provider,
  );
  const trial = last && isRunning(last);
  const capabilities = useCapabilities(model, last?.completed_at ?? null);
  const measured = capabilities.data?.measured;
  const failed = last?.status === 'failed' && (!measured || measured.at < last.started_at) ? last.error : null;
  return (
    <section aria-label={t('details.measured')}>
      <Title order={2} size="h5" mb="xs">
        {t('details.measured')}
      </Title>
      {capabilities.isPending && <Loading />}
      {capabilities.isError && <Failed error={capabilities.error} onRetry={() => void capabilities.refetch()} />}
      {trial ? (
        <Group gap="xs" mb="sm" role="status">
          <Loader size="xs" aria-hidden />
          <Text size="sm">{t('details.trying')}</Text>
        </Group>
      ) : (
        <Button
          size="compact-sm"
          variant="default"
          mb="sm"
          loading={action.isPending}
          onClick={() =>
            action.mutate({ path: '/models/probe', json: { name: model?.name, runtime: model?.provider } })
          }
        >
          {t('models.probe')}
        </Button>
      )}
      {failed && (
        <Text
          size="sm"
          c="var(--mantine-color-red-light-color)"
          mb="sm"
          role="alert"
          style={{ overflowWrap: 'anywhere' }}
        >
          {failed}
        </Text>
      )}
      {capabilities.data && !measured && !trial && <Empty>{t('details.unmeasured')}</Empty>}
      {measured && (
        <>
          <Text size="sm" className="muted" mb="xs">
            {[
              moment(measured.at, i18n.language),
              measured.tokens_per_second === null
                ? null
                : t('chat.speed', { value: number(measured.tokens_per_second, i18n.language) }),
              measured.memory_bytes === null ? null : bytes(measured.memory_bytes, i18n.language),
              t('details.context', { value: number(capabilities.data?.max_context_length ?? 0, i18n.language, 0) }),
              measured.usable_context_tokens
                ? t('details.usable', { value: number(measured.usable_context_tokens, i18n.language, 0) })
                : null,
              measured.runtime_version,
            ]
              .filter(Boolean)
              .join(' · ')}
          </Text>
          <ProbeResults results={measured.results} />
        </>
      )}
    </section>
  );
}

function Parameters({ model }: { model: ModelRef | null }) {
  const { t } = useTranslation();
  const config = useConfig(model);
  const save = useSaveConfig();
  const [changed, setChanged] = useState<Record<string, number>>({});
  const store = (params: Record<string, unknown>) =>
    model !== null && save.mutate({ model, params }, { onSuccess: () => setChanged({}) });
  return (
    <section aria-label={t('chat.parameters')}>
      <Title order={2} size="h5" mb="xs">
        {t('chat.parameters')}
      </Title>
      {config.isPending && <Loading />}
      {config.isError && <Failed error={config.error} onRetry={() => void config.refetch()} />}
      {config.data && (
        <Stack>
          {Object.entries(config.data.generation_schema).map(([parameter, rule]) => {
            const value = changed[parameter] ?? config.data.current_values[parameter];
            return (
              <NumberInput
                key={parameter}
                label={t(`param.${parameter}`, { defaultValue: parameter })}
                value={typeof value === 'number' ? value : ''}
                clampBehavior="strict"
                step={rule.type === 'int' ? 1 : 0.05}
                {...(rule.min === undefined ? {} : { min: rule.min })}
                {...(rule.max === undefined ? {} : { max: rule.max })}
                onChange={(next) => typeof next === 'number' && setChanged({ ...changed, [parameter]: next })}
              />
            );
          })}
          <Group>
            <Button
              loading={save.isPending}
              disabled={Object.keys(changed).length === 0}
              onClick={() => store({ ...config.data.current_values, ...changed })}
            >
              {t('action.save')}
            </Button>
            <Button variant="default" onClick={() => store({})}>
              {t('chat.parameters.reset')}
            </Button>
          </Group>
        </Stack>
      )}
    </section>
  );
}
