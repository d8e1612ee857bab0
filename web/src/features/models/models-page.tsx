// Installed models, the starter model and what the machine has left.
import {
  ActionIcon,
  Alert,
  Anchor,
  Badge,
  Button,
  Group,
  Menu,
  Modal,
  Stack,
  Table,
  Text,
  Title,
  VisuallyHidden,
} from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconCpu, IconDots, IconPlugConnectedX } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ButtonLink } from '../../components/links';
import { PageHeader } from '../../components/page-header';
import { StarterCard } from '../../components/starter-card';
import { Empty, Failed, Loading } from '../../components/states';
import { engineName } from '../../lib/engines';
import { send } from '../../lib/http';
import { useLoaded } from '../../lib/loaded-models';
import { figureLine, figuresOf, type Model, useModels, useSwitchModel } from '../../lib/models';
import { isRunning, useModelAction, useOperations } from '../../lib/operations';
import { useStarter } from '../../lib/starter';
import { ModelDetails } from './model-details';
import { UsagePanel } from './usage-panel';
import { AdoptablePanel, VersionsPanel } from './versions-panel';

export function ModelsPage() {
  const { t, i18n } = useTranslation();
  const models = useModels();
  const starter = useStarter();
  const switchModel = useSwitchModel();
  const [detailsOf, setDetailsOf] = useState<Model | null>(null);
  // The first model is offered; whoever has one finds the starter model in Discover.
  const hasModels = (models.data?.models.length ?? 0) > 0;
  const unload = useMutation({
    mutationFn: () => send('/models/unload-all', { method: 'POST' }),
    onSuccess: () => notifications.show({ message: t('models.unloaded') }),
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
  });
  return (
    <div className="page">
      <PageHeader title={t('models.title')} lead={t('models.lead')}>
        <Button variant="default" size="xs" loading={unload.isPending} onClick={() => unload.mutate()}>
          {t('models.unload.all')}
        </Button>
      </PageHeader>
      <Stack gap="xl">
        {starter.data &&
          starter.data.state !== 'installed' &&
          !(hasModels && ['absent', 'off'].includes(starter.data.state)) && <StarterCard />}
        <section className="panel" style={{ padding: '6px 6px 10px' }} aria-label={t('models.installed')}>
          <Title order={2} size="h5" px="md" py="sm">
            {t('models.installed')}
          </Title>
          {models.data?.unavailable.map(({ provider, error }) => (
            <Alert
              key={provider}
              color="orange"
              variant="light"
              mx="sm"
              mb="sm"
              p="xs"
              icon={<IconPlugConnectedX size={16} aria-hidden />}
            >
              {t('models.unavailable', { engine: engineName(t, provider) })}{' '}
              <Text span size="xs" lang="en">
                {error}
              </Text>
            </Alert>
          ))}
          {models.isPending && <Loading />}
          {models.isError && <Failed error={models.error} onRetry={() => void models.refetch()} />}
          {models.isSuccess && models.data.models.length === 0 && (
            <Empty
              icon={IconCpu}
              action={
                <ButtonLink to="/discover" size="xs">
                  {t('empty.models.do')}
                </ButtonLink>
              }
            >
              {t('models.empty')}
            </Empty>
          )}
          {models.isSuccess && models.data.models.length > 0 && (
            <Table.ScrollContainer minWidth={280} scrollAreaProps={{ viewportProps: { tabIndex: 0 } as never }}>
              <Table verticalSpacing="sm" horizontalSpacing="md">
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>{t('models.name')}</Table.Th>
                    <Table.Th visibleFrom="sm">{t('models.size')}</Table.Th>
                    <Table.Th visibleFrom="sm">{t('models.quantization')}</Table.Th>
                    <Table.Th visibleFrom="sm">{t('models.provider')}</Table.Th>
                    <Table.Th>
                      <VisuallyHidden>{t('models.active')}</VisuallyHidden>
                    </Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {models.data.models
                    .map((model) => [model, figuresOf(model, i18n)] as const)
                    .map(([model, figures]) => (
                      <Table.Tr key={`${model.provider} ${model.name}`}>
                        <Table.Td fw={500} style={{ overflowWrap: 'anywhere' }}>
                          {model.name}
                          {(model.measured_abilities ?? []).map((ability) => (
                            <Badge key={ability} variant="default" size="xs" tt="none" ml={6} title={t('models.seen')}>
                              {t(`models.ability.${ability}`)}
                            </Badge>
                          ))}
                          <ModelState model={model} />
                          {/* Where there is no room for columns. */}
                          <Text size="xs" className="muted" hiddenFrom="sm">
                            {figureLine(model, i18n)}
                          </Text>
                        </Table.Td>
                        <Table.Td visibleFrom="sm" className="figure">
                          {figures.size ?? '–'}
                        </Table.Td>
                        <Table.Td visibleFrom="sm">{figures.quantization ?? '–'}</Table.Td>
                        <Table.Td visibleFrom="sm">{figures.engine}</Table.Td>
                        <Table.Td>
                          <Group gap={6} justify="flex-end" wrap="nowrap">
                            {model.active ? (
                              <Badge variant="light" tt="none" miw="fit-content">
                                {t('models.active')}
                              </Badge>
                            ) : (
                              model.chat_compatible && (
                                <Button
                                  size="compact-xs"
                                  variant="default"
                                  loading={
                                    switchModel.isPending &&
                                    switchModel.variables.name === model.name &&
                                    switchModel.variables.provider === model.provider
                                  }
                                  onClick={() => switchModel.mutate(model)}
                                >
                                  {t('models.use')}
                                </Button>
                              )
                            )}
                            <ModelMenu model={model} onDetails={() => setDetailsOf(model)} />
                          </Group>
                        </Table.Td>
                      </Table.Tr>
                    ))}
                </Table.Tbody>
              </Table>
            </Table.ScrollContainer>
          )}
        </section>
        <section aria-label={t('usage.title')}>
          <UsagePanel />
        </section>
        <VersionsPanel />
        <AdoptablePanel />
      </Stack>
      <ModelDetails
        key={detailsOf && `${detailsOf.provider} ${detailsOf.name}`}
        model={detailsOf}
        onClose={() => setDetailsOf(null)}
      />
    </div>
  );
}

/** What is being done with it now, and whether its weights are in memory. */
function ModelState({ model }: { model: Model }) {
  const { t } = useTranslation();
  const isIt = ({ name, runtime }: { name: string; runtime: string }) =>
    name === model.name && runtime === model.provider;
  const loaded = useLoaded().data?.some(isIt);
  const running = useOperations().data?.find(
    (one) => isRunning(one) && isIt({ name: one.model_name, runtime: one.runtime }),
  );
  return (
    <>
      {loaded && (
        <Badge variant="dot" color="teal" size="xs" tt="none" ml={6}>
          {t('models.loaded')}
        </Badge>
      )}
      {running && (
        <Anchor component={Link} to="/activity" size="xs" ml={8} fw={400} role="status">
          {t('models.busy', {
            what: t(`activity.type.${running.operation_type}`),
            percent: Math.round(running.progress),
          })}
        </Anchor>
      )}
    </>
  );
}

function ModelMenu({ model, onDetails }: { model: Model; onDetails: () => void }) {
  const { t } = useTranslation();
  const action = useModelAction();
  const [removing, setRemoving] = useState(false);
  const name = encodeURIComponent(model.name);
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={t('models.menu', { name: model.name })}>
            <IconDots size={16} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={onDetails}>{t('models.details')}</Menu.Item>
          {model.chat_compatible && (
            <Menu.Item
              onClick={() =>
                action.mutate({ path: '/models/activate', json: { name: model.name, runtime: model.provider } })
              }
            >
              {t('models.activate')}
            </Menu.Item>
          )}
          {model.type === 'gguf' && (
            <Menu.Item
              onClick={() =>
                action.mutate({ path: '/models/verify', json: { name: model.name, runtime: model.provider } })
              }
            >
              {t('models.verify')}
            </Menu.Item>
          )}
          {model.chat_compatible && (
            <Menu.Item
              onClick={() => {
                action.mutate({ path: '/models/probe', json: { name: model.name, runtime: model.provider } });
                onDetails();
              }}
            >
              {t('models.probe')}
            </Menu.Item>
          )}
          {!model.active && (
            <Menu.Item color="red" onClick={() => setRemoving(true)}>
              {t('models.remove')}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <Modal
        opened={removing}
        onClose={() => setRemoving(false)}
        title={t('models.remove')}
        closeButtonProps={{ 'aria-label': t('action.close') }}
      >
        <Text mb="md">{t('models.remove.sure', { name: model.name })}</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={() => setRemoving(false)}>
            {t('action.cancel')}
          </Button>
          <Button
            color="red"
            loading={action.isPending}
            onClick={() =>
              action.mutate(
                { path: `/models/${name}?runtime=${encodeURIComponent(model.provider)}`, method: 'DELETE' },
                { onSuccess: () => setRemoving(false) },
              )
            }
          >
            {t('models.remove')}
          </Button>
        </Group>
      </Modal>
    </>
  );
}
