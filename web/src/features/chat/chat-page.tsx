// The chat: model, mode and parameters above, the conversation, and where the next message is written.
import { ActionIcon, Box, Text, Title, Tooltip, UnstyledButton } from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import { IconAdjustmentsHorizontal, IconCloud, IconLock } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { StarterCard } from '../../components/starter-card';
import { useCloudEngines } from '../../lib/cloud-engines';
import { useModels, useSwitchModel } from '../../lib/models';
import { escapeWasForLayer } from '../../lib/open-layers';
import { usePageTitle } from '../../lib/page-title';
import { useStarter } from '../../lib/starter';
import { useSession } from './api/sessions';
import { Composer } from './composer';
import { type Ask, Conversation } from './conversation';
import { Instructions } from './instructions';
import { ask, isAnswering, stop, useLiveAnswer } from './live-answers';
import { useMode } from './mode';
import { ModeSwitch } from './mode-switch';
import { keyOf, labelOf, ModelPicker, useChatModels } from './model-picker';
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
  const [instructions, setInstructions] = useState('');
  const live = useLiveAnswer(sessionId ?? '');
  // Until its first question is acknowledged there is no such session.
  const session = useSession(!live || live.requestId !== null ? sessionId : null);
  const chatModels = useChatModels();
  const activeModel = chatModels.find((model) => model.active);
  const clouds = useCloudEngines();
  const cloud = clouds.data?.active ?? null;
  const active = cloud ? cloud.model : (activeModel?.name ?? null);
  const answering = live?.done === false;
  const ready = chatModels.length > 0 || cloud !== null;
  const others = chatModels
    .filter((model) => cloud !== null || !model.active)
    .map((model) => ({ value: keyOf(model), label: labelOf(model, chatModels) }));
  const tuned =
    Object.keys(parameters).length > 0 || (sessionId ? (session.data?.instructions ?? '') : instructions) !== '';

  // The conversation names its own page.
  usePageTitle(sessionId ? undefined : t('nav.chat'));
  useHotkeys(
    [['Escape', () => sessionId && isAnswering(sessionId) && !escapeWasForLayer() && void stop(sessionId)]],
    [],
  );

  const named = (key: string | undefined) => chatModels.find((model) => keyOf(model) === key);
  /** A task takes no model by name: the one that answers is changed first. False where it cannot be; the reader is told. */
  const prepare = async (other: string | undefined): Promise<boolean> => {
    const model = named(other);
    if (!model || mode === 'direct') return true;
    return switchModel.mutateAsync(model).then(
      () => true,
      () => false,
    );
  };
  const send: Ask = (text, images = [], other) => {
    const id = sessionId ?? newSessionId();
    const model = named(other);
    // Without a choice the server knows which model: a name would go before the policy.
    void ask(id, text, {
      mode,
      parameters,
      images,
      ...(model && mode === 'direct' ? { model: model.name } : {}),
      ...(sessionId === null && instructions.trim() !== '' ? { instructions: instructions.trim() } : {}),
    });
    if (!sessionId) void navigate({ to: '/chat/$sessionId', params: { sessionId: id } });
  };

  return (
    <div className="chat">
      <div className="chat-bar">
        <ModelPicker />
        <ModeSwitch mode={mode} onChange={setMode} />
        <Box flex={1} />
        <Tooltip label={t('chat.settings')}>
          <ActionIcon
            variant={tuned ? 'light' : 'subtle'}
            color={tuned ? undefined : 'gray'}
            size="lg"
            aria-label={t('chat.settings')}
            onClick={open}
          >
            <IconAdjustmentsHorizontal size={18} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </div>
      {sessionId ? (
        <Conversation
          key={sessionId}
          sessionId={sessionId}
          title={session.data?.title}
          model={active}
          otherModels={others}
          onPrepare={prepare}
          onAsk={send}
        />
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
        sessionId={sessionId}
        answering={answering}
        disabled={!ready}
        onSend={send}
        onStop={() => sessionId && void stop(sessionId)}
      />
      <Text size="xs" className="muted" ta="center" pb="xs" visibleFrom="sm">
        {t('chat.hint')}
      </Text>
      <ParametersDrawer opened={drawer} onClose={close} value={parameters} onChange={setParameters}>
        <Instructions session={session.data} draft={instructions} onDraft={setInstructions} />
      </ParametersDrawer>
    </div>
  );
}

function newSessionId(): string {
  const random = [...crypto.getRandomValues(new Uint8Array(4))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
  return `session-${Date.now()}-${random}`;
}
