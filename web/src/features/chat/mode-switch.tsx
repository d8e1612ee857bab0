// Direct, Normal or Complex, and what each stage of it may take.
import { Popover, SegmentedControl, Stack, Text, UnstyledButton } from '@mantine/core';
import { IconInfoCircle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { number } from '../../lib/format';
import { useChatModes } from './api/chat-modes';
import { MODES, type Mode } from './mode';

export function ModeSwitch({ mode, onChange }: { mode: Mode; onChange: (mode: Mode) => void }) {
  const { t, i18n } = useTranslation();
  const modes = useChatModes();
  const stages = modes.data?.modes.find(({ id }) => id === mode)?.stages ?? [];
  return (
    <>
      <SegmentedControl
        size="xs"
        aria-label={t('chat.mode')}
        value={mode}
        data={MODES.map((value) => ({ value, label: t(`chat.mode.${value}`) }))}
        onChange={(value) => onChange(value as Mode)}
      />
      <Popover width={320} position="bottom-start" withArrow shadow="md">
        <Popover.Target>
          <UnstyledButton aria-label={t('chat.mode.about')} className="muted" style={{ lineHeight: 0 }}>
            <IconInfoCircle size={17} aria-hidden />
          </UnstyledButton>
        </Popover.Target>
        <Popover.Dropdown>
          <Text size="sm" fw={600}>
            {t(`chat.mode.${mode}`)}
          </Text>
          <Text size="xs" className="muted" mb="xs">
            {t(`chat.mode.${mode}.lead`)}
          </Text>
          <Stack gap={4}>
            {stages.map((stage) => (
              <div key={stage.id} className="stage">
                <Text size="xs">{t(`stage.${stage.id}`, { defaultValue: stage.id })}</Text>
                <Text size="xs" className="muted figure">
                  {[
                    stage.max_tokens === null
                      ? null
                      : t('chat.tokens', { value: number(stage.max_tokens, i18n.language, 0) }),
                    stage.max_steps === null ? null : t('stage.steps', { count: stage.max_steps }),
                    stage.max_seconds === null ? null : t('stage.seconds', { value: stage.max_seconds }),
                  ]
                    .filter(Boolean)
                    .join(' · ') || t('stage.free')}
                </Text>
              </div>
            ))}
          </Stack>
        </Popover.Dropdown>
      </Popover>
    </>
  );
}
