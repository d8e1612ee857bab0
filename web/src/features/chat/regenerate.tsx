// Asks the last question once more: of the same model, or of another one.
import { Menu } from '@mantine/core';
import { IconChevronDown, IconRefresh } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { MessageAction } from './message-action';

const MOST = 12;

export function Regenerate({
  others,
  onRegenerate,
}: {
  others: readonly { value: string; label: string }[];
  onRegenerate: (model?: string) => void;
}) {
  const { t } = useTranslation();
  return (
    <>
      <MessageAction label={t('chat.regenerate')} onClick={() => onRegenerate()}>
        <IconRefresh size={16} aria-hidden />
      </MessageAction>
      {others.length > 0 && (
        <Menu position="top-start" withinPortal>
          <Menu.Target>
            <MessageAction label={t('chat.regenerate.with')} className="narrow-action">
              <IconChevronDown size={14} aria-hidden />
            </MessageAction>
          </Menu.Target>
          <Menu.Dropdown mah={320} style={{ overflowY: 'auto' }}>
            <Menu.Label>{t('chat.regenerate.with')}</Menu.Label>
            {others.slice(0, MOST).map(({ value, label }) => (
              <Menu.Item key={value} onClick={() => onRegenerate(value)} maw={340} style={{ overflowWrap: 'anywhere' }}>
                {label}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
    </>
  );
}
