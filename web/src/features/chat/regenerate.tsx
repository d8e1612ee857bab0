// Asks the last question once more: just so, with other parameters, or of another model. All of it for this answer alone.
import { Menu } from '@mantine/core';
import { IconAdjustments, IconChevronDown, IconRefresh, IconSparkles } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { number } from '../../lib/format';
import { MessageAction } from './message-action';

const MOST = 12;
/** Temperatures. */
const STEADY = 0.1;
const VARIED = 1.2;

/** What is different this time. */
export interface Otherwise {
  model?: string;
  temperature?: number;
}

export function Regenerate({
  others,
  onRegenerate,
}: {
  others: readonly { value: string; label: string }[];
  onRegenerate: (other: Otherwise) => void;
}) {
  const { t, i18n } = useTranslation();
  const temperatureOf = (value: number) => `${t('param.temperature')} ${number(value, i18n.language)}`;
  return (
    <>
      <MessageAction label={t('chat.regenerate')} onClick={() => onRegenerate({})}>
        <IconRefresh size={16} aria-hidden />
      </MessageAction>
      <Menu position="top-start" withinPortal>
        <Menu.Target>
          <MessageAction label={t('chat.again')} className="narrow-action">
            <IconChevronDown size={14} aria-hidden />
          </MessageAction>
        </Menu.Target>
        <Menu.Dropdown mah={380} style={{ overflowY: 'auto' }}>
          <Menu.Label>{t('chat.again.parameters')}</Menu.Label>
          <Menu.Item
            leftSection={<IconAdjustments size={15} aria-hidden />}
            rightSection={<span className="menu-note">{temperatureOf(STEADY)}</span>}
            onClick={() => onRegenerate({ temperature: STEADY })}
          >
            {t('chat.again.steady')}
          </Menu.Item>
          <Menu.Item
            leftSection={<IconSparkles size={15} aria-hidden />}
            rightSection={<span className="menu-note">{temperatureOf(VARIED)}</span>}
            onClick={() => onRegenerate({ temperature: VARIED })}
          >
            {t('chat.again.varied')}
          </Menu.Item>
          {others.length > 0 && <Menu.Label>{t('chat.again.model')}</Menu.Label>}
          {others.slice(0, MOST).map(({ value, label }) => (
            <Menu.Item
              key={value}
              onClick={() => onRegenerate({ model: value })}
              maw={340}
              style={{ overflowWrap: 'anywhere' }}
            >
              {label}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
