// The chat: model, mode and parameters above, the conversation, and where the next message is written.
import { ActionIcon, Box, Select, Text, Title, Tooltip, UnstyledButton } from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import { IconAdjustmentsHorizontal, IconCloud, IconLock } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { StarterCard } from '../../components/starter-card';
import { type CloudEngine, useActivateCloud, useCloudEngines } from '../../lib/cloud-engines';
import { type Model, useModels, useSwitchModel } from '../../lib/models';
import { useStarter } from '../../lib/starter';
import { Composer } from './composer';
import { Conversation } from './conversation';
import { ask, isAnswering, stop, useLiveAnswer } from './live-answers';
import { useMode } from './mode';
import { ModeSwitch } from './mode-switch';
import { ParametersDrawer, useParameters } from './parameters';

export function ChatPage({ sessionId }: { sessionId: string | null }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const models = useModels();
  const starter = useStarter();
  const switchModel = useSwitchModel();
  const [parameters, setParameters] = useParameters();
  const [mode, setMode] = useMode();
  const [drawer, { open, close }] = useDisclosure();
  const live = useLiveAnswer(sessionId ?? '');
  const chatModels = models.data?.models.filter(({ chat_compatible }) => chat_compatible) ?? [];
  const activeModel = chatModels.find((model) => model.active);
  const clouds = useCloudEngines();
  const activateCloud = useActivateCloud();
  const cloud = clouds.data?.active ?? null;
  const active = cloud ? cloud.model : (activeModel?.name ?? null);
  const answering = live?.done === false;
  const ready = chatModels.length > 0 || cloud !== null;
  const offered = withActive(clouds.data?.offered ?? [], cloud);
  const here = chatModels.map((model) => ({ value: keyOf(model), label: labelOf(model, chatModels) }));

  useHotkeys([['Escape', () => sessionId && isAnswering(sessionId) && void stop(sessionId)]], []);

  const send = (text: string, images: string[] = []) => {
    const id = sessionId ?? newSessionId();
    // Which model that is, the server knows: a name would go before the policy.
    void ask(id, text, { mode, parameters, images });
    if (!sessionId) void navigate({ to: '/chat/$sessionId', params: { sessionId: id } });
  };

  return (
    <div className="chat">
      <div className="chat-bar">
        <Select
          aria-label={t('chat.model')}
          size="xs"
          className="chat-model"
          w={{ sm: 270 }}
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
          value={cloud ? cloudValue(cloud) : activeModel ? keyOf(activeModel) : null}
          placeholder={t('chat.model.none')}
          allowDeselect={false}
          searchable={chatModels.length + offered.length > 8}
          onChange={(value) => {
            const engine = offered.find((candidate) => cloudValue(candidate) === value);
            const chosen = chatModels.find((model) => keyOf(model) === value);
            if (engine) activateCloud.mutate(engine);
            else if (chosen) switchModel.mutate(chosen);
          }}
        />
        <ModeSwitch mode={mode} onChange={setMode} />
        <Box flex={1} />
        <Tooltip label={t('chat.parameters')}>
          <ActionIcon
            variant={Object.keys(parameters).length > 0 ? 'light' : 'subtle'}
            color={Object.keys(parameters).length > 0 ? undefined : 'gray'}
            size="lg"
            aria-label={t('chat.parameters')}
            onClick={open}
          >
            <IconAdjustmentsHorizontal size={18} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </div>
      {sessionId ? (
        <Conversation key={sessionId} sessionId={sessionId} model={active} onAsk={send} />
      ) : (
        <div className="chat-scroll">
          <div className="chat-column" style={{ paddingTop: 'clamp(28px, 12vh, 130px)' }}>
            <Title order={1} size="h2" ta="center">
              {t('chat.hello')}
            </Title>
            {(cloud || clouds.data?.mayLeave) && (
              <Text className="muted" ta="center" mt={6} size="sm">
                <IconCloud size={14} aria-hidden style={{ verticalAlign: -2, marginRight: 5 }} />
                {cloud ? t('chat.cloud', { provider: cloud.provider }) : t('chat.mayLeave')}
              </Text>
            )}
            {/* Promised only where it is certain: another server may be anywhere. */}
            {activeModel?.provider === 'llama-cpp' && clouds.data && !cloud && !clouds.data.mayLeave && (
              <Text className="muted" ta="center" mt={6} size="sm">
                <IconLock size={14} aria-hidden style={{ verticalAlign: -2, marginRight: 5 }} />
                {t('chat.private')}
              </Text>
            )}
            {models.isSuccess && !ready && starter.data ? (
              <Box mt="xl">
                <StarterCard />
              </Box>
            ) : (
              <div className="suggestions">
                {[1, 2, 3].map((index) => (
                  <UnstyledButton
                    key={index}
                    className="panel suggestion"
                    disabled={!ready}
                    onClick={() => send(t(`chat.suggest.${index}`))}
                  >
                    {t(`chat.suggest.${index}`)}
                  </UnstyledButton>
                ))}
              </div>
            )}
          </div>
        </div>
      )}
      <Composer
        key={sessionId ?? 'new'}
        answering={answering}
        disabled={!ready}
        onSend={send}
        onStop={() => sessionId && void stop(sessionId)}
      />
      <Text size="xs" className="muted" ta="center" pb="xs" visibleFrom="sm">
        {t('chat.hint')}
      </Text>
      <ParametersDrawer opened={drawer} onClose={close} value={parameters} onChange={setParameters} />
    </div>
  );
}

/** No model's name holds a line break. */
const cloudValue = ({ provider, model }: CloudEngine): string => `${provider}\n${model ?? ''}`;

/** What answers now is among what can be chosen, though its provider's list was not read yet. */
function withActive(offered: readonly CloudEngine[], active: CloudEngine | null): readonly CloudEngine[] {
  if (!active || offered.some((engine) => cloudValue(engine) === cloudValue(active))) return offered;
  return [active, ...offered];
}

function newSessionId(): string {
  const random = [...crypto.getRandomValues(new Uint8Array(4))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
  return `session-${Date.now()}-${random}`;
}

const keyOf = ({ name, provider }: Model): string => `${provider} ${name}`;

/** Two engines may have a model of one name. */
const labelOf = ({ name, provider }: Model, all: readonly Model[]): string =>
  all.some((other) => other.name === name && other.provider !== provider) ? `${name} · ${provider}` : name;
