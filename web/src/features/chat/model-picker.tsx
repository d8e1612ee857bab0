// Which model answers: those here with their engine, size and whether they are in memory, and the clouds.
import { Badge, Group, Loader, Select, Text } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { type CloudEngine, useActivateCloud, useCloudEngines } from '../../lib/cloud-engines';
import { useLoaded } from '../../lib/loaded-models';
import { figureLine, type Model, useModels, useSwitchModel } from '../../lib/models';

/** From so many on a list is searched rather than read. */
const SEARCHED = 6;

export function ModelPicker() {
  const { t, i18n } = useTranslation();
  const chatModels = useChatModels();
  const clouds = useCloudEngines();
  const loaded = useLoaded();
  const activateCloud = useActivateCloud();
  const switchModel = useSwitchModel();
  const cloud = clouds.data?.active ?? null;
  const offered = withActive(clouds.data?.offered ?? [], cloud);
  const active = chatModels.find((model) => model.active);
  const here = chatModels.map((model) => ({ value: keyOf(model), label: labelOf(model, chatModels) }));
  const value = cloud ? cloudValue(cloud) : active ? keyOf(active) : null;
  const pending = switchModel.isPending || activateCloud.isPending;
  const inMemory = ({ name, provider }: Model) =>
    loaded.data?.some((model) => model.name === name && model.runtime === provider) ?? false;
  return (
    <Select
      aria-label={t('chat.model')}
      size="xs"
      className="chat-model"
      w={{ sm: 290 }}
      title={cloud?.model ?? active?.name}
      data={
        offered.length === 0
          ? here
          : [
              { group: t('chat.model.here'), items: here },
              {
                group: t('chat.model.cloud'),
                items: offered.map((engine) => ({
                  value: cloudValue(engine),
                  label: engine.model === null ? engine.provider : `${engine.model} · ${engine.provider}`,
                })),
              },
            ]
      }
      value={value}
      placeholder={t('chat.model.none')}
      nothingFoundMessage={t('chat.model.nothing')}
      allowDeselect={false}
      searchable={here.length + offered.length >= SEARCHED}
      selectFirstOptionOnChange
      maxDropdownHeight={420}
      comboboxProps={{ width: 'max-content', position: 'bottom-start' }}
      styles={{ dropdown: { minWidth: 290, maxWidth: 'min(520px, calc(100vw - 24px))' } }}
      rightSection={pending ? <Loader size={14} aria-label={t('state.loading')} /> : undefined}
      renderOption={({ option, checked }) => {
        const model = chatModels.find((each) => keyOf(each) === option.value);
        return (
          <Group gap={8} wrap="nowrap" flex={1} miw={0}>
            <IconCheck size={14} aria-hidden style={{ flex: 'none', visibility: checked ? undefined : 'hidden' }} />
            <div style={{ flex: 1, minWidth: 0 }}>
              <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
                {model?.name ?? option.label}
              </Text>
              {model && (
                <Text size="xs" className="muted">
                  {figureLine(model, i18n)}
                </Text>
              )}
            </div>
            {model && inMemory(model) && (
              <Badge size="xs" variant="light" tt="none" style={{ flex: 'none' }}>
                {t('chat.model.loaded')}
              </Badge>
            )}
          </Group>
        );
      }}
      onChange={(next) => {
        const engine = offered.find((candidate) => cloudValue(candidate) === next);
        const chosen = chatModels.find((model) => keyOf(model) === next);
        if (engine) activateCloud.mutate(engine);
        else if (chosen) switchModel.mutate(chosen);
      }}
    />
  );
}

export const useChatModels = (): readonly Model[] =>
  useModels().data?.models.filter(({ chat_compatible }) => chat_compatible) ?? [];

/** No model's name holds a line break. */
const cloudValue = ({ provider, model }: CloudEngine): string => `${provider}\n${model ?? ''}`;

/** What answers now is among what can be chosen, though its provider's list was not read yet. */
function withActive(offered: readonly CloudEngine[], active: CloudEngine | null): readonly CloudEngine[] {
  if (!active || offered.some((engine) => cloudValue(engine) === cloudValue(active))) return offered;
  return [active, ...offered];
}

export const keyOf = ({ name, provider }: Model): string => `${provider} ${name}`;

/** Two engines may have a model of one name. */
export const labelOf = ({ name, provider }: Model, all: readonly Model[]): string =>
  all.some((other) => other.name === name && other.provider !== provider) ? `${name} · ${provider}` : name;
