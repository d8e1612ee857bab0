// The chat: model, mode and parameters above, the conversation, and where the next message is written.
import { ActionIcon, Box, Text, Title, Tooltip, UnstyledButton } from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import { IconAdjustmentsHorizontal, IconCloud, IconLock, IconSearch } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { StarterCard } from '../../components/starter-card';
import { useCloudEngines } from '../../lib/cloud-engines';
import { useModels } from '../../lib/models';
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
import { newSessionId } from './new-session-id';
import { ParametersDrawer, useParameters } from './parameters';

export function ChatPage({ sessionId }: { sessionId: string | null }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const models = useModels();
  const starter = useStarter();
  const [parameters, setParameters] = useParameters();
  const [mode, setMode] = useMode();
  const [drawer, { open, close }] = useDisclosure();
  const [finding, { open: find, close: stopFinding }] = useDisclosure();
  const [editAsked, setEditAsked] = useState(0);
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
    [
      ['Escape', () => sessionId && isAnswering(sessionId) && !escapeWasForLayer() && void stop(sessionId)],
      // The browser's own is left to the browser; this one finds also what is not on the page yet.
      ['mod+shift+F', () => sessionId && find()],
    ],
    [],
  );

  const send: Ask = (text, images = [], { model: other, temperature } = {}) => {
    const id = sessionId ?? newSessionId();
    const model = chatModels.find((each) => keyOf(each) === other);
    // Without a choice the server knows which model: a name would go before the policy.
    void ask(id, text, {
      mode,
      parameters: temperature === undefined ? parameters : { ...parameters, temperature },
      images,
      ...(model ? { model: model.name } : {}),
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
        {sessionId && (
          <Tooltip label={t('find.title')}>
            <ActionIcon
              variant={finding ? 'light' : 'subtle'}
              color="gray"
              size="lg"
              aria-label={t('find.title')}
              aria-pressed={finding}
              onClick={finding ? stopFinding : find}
            >
              <IconSearch size={18} aria-hidden />
            </ActionIcon>
          </Tooltip>
        )}
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
          // Its neighbour below goes by the same conversation: two of one key would leave the former one standing.
          key={`conversation ${sessionId}`}
          sessionId={sessionId}
          title={session.data?.title}
          model={active}
          otherModels={others}
          onAsk={send}
          finding={finding}
          onFound={stopFinding}
          editAsked={editAsked}
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
        key={`composer ${sessionId ?? ''}`}
        sessionId={sessionId}
        answering={answering}
        disabled={!ready}
        onSend={send}
        onStop={() => sessionId && void stop(sessionId)}
        onEditLast={() => setEditAsked((count) => count + 1)}
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
