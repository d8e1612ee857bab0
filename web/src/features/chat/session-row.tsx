// One conversation in the list: open it, or pick it out among others.
import { ActionIcon, Checkbox, Menu } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import {
  IconCopy,
  IconDots,
  IconDownload,
  IconPencil,
  IconPin,
  IconPinned,
  IconPinnedOff,
  IconShieldLock,
  IconTrash,
} from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { copyText } from '../../components/copy-text';
import { ApiError } from '../../lib/http';
import { downloadSession, type Session, sessionAsMarkdown, useChangeSession } from './api/sessions';

export type SessionDialog = 'rename' | 'labels' | 'delete';

export function SessionRow({
  session,
  current,
  picked,
  onPick,
  onOpen,
  onDialog,
}: {
  session: Session;
  current: boolean;
  /** Undefined while nothing is picked out. */
  picked: boolean | undefined;
  onPick: () => void;
  onOpen: () => void;
  onDialog: (dialog: SessionDialog) => void;
}) {
  const { t } = useTranslation();
  const title = session.title || session.session_id;
  if (picked !== undefined)
    return (
      <div className="session-row" data-active={picked}>
        <Checkbox
          size="xs"
          className="session-pick"
          checked={picked}
          label={title}
          aria-label={t('sessions.select.one', { title })}
          onChange={onPick}
        />
      </div>
    );
  return (
    <div className="session-row" data-active={current}>
      <Link
        to="/chat/$sessionId"
        params={{ sessionId: session.session_id }}
        className="session-link"
        dir="auto"
        title={session.title}
        aria-current={current ? 'page' : undefined}
        onClick={onOpen}
      >
        {session.pinned && <IconPinned size={13} aria-hidden className="session-pin" />}
        {title}
      </Link>
      <SessionMenu session={session} onDialog={onDialog} />
    </div>
  );
}

function SessionMenu({ session, onDialog }: { session: Session; onDialog: (dialog: SessionDialog) => void }) {
  const { t } = useTranslation();
  const change = useChangeSession();
  const { session_id: id, pinned } = session;
  const failed = (error: unknown) =>
    notifications.show({ color: 'red', message: error instanceof ApiError ? error.message : t('copy.failed') });
  const copyWhole = () =>
    sessionAsMarkdown(id)
      .then(copyText)
      .then(() => notifications.show({ message: t('sessions.copied') }), failed);
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon
          className="session-menu"
          variant="subtle"
          color="gray"
          size="sm"
          aria-label={t('sessions.menu', { title: session.title })}
        >
          <IconDots size={15} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={pinned ? <IconPinnedOff size={15} aria-hidden /> : <IconPin size={15} aria-hidden />}
          onClick={() => change.mutate({ id, pinned: !pinned })}
        >
          {t(pinned ? 'sessions.unpin' : 'sessions.pin')}
        </Menu.Item>
        <Menu.Item leftSection={<IconPencil size={15} aria-hidden />} onClick={() => onDialog('rename')}>
          {t('sessions.rename')}
        </Menu.Item>
        <Menu.Item leftSection={<IconCopy size={15} aria-hidden />} onClick={() => void copyWhole()}>
          {t('sessions.copy')}
        </Menu.Item>
        <Menu.Item
          leftSection={<IconDownload size={15} aria-hidden />}
          onClick={() => downloadSession(id, 'markdown').catch(failed)}
        >
          {t('sessions.export.markdown')}
        </Menu.Item>
        <Menu.Item
          leftSection={<IconDownload size={15} aria-hidden />}
          onClick={() => downloadSession(id, 'json').catch(failed)}
        >
          {t('sessions.export.json')}
        </Menu.Item>
        <Menu.Item leftSection={<IconShieldLock size={15} aria-hidden />} onClick={() => onDialog('labels')}>
          {t('sessions.labels')}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item color="red" leftSection={<IconTrash size={15} aria-hidden />} onClick={() => onDialog('delete')}>
          {t('sessions.delete')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
