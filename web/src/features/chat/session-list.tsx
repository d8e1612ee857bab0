// The conversations: search, open, pin, rename, export, delete.
import { ActionIcon, Button, Group, Menu, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue, useHotkeys } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import {
  IconCopy,
  IconDots,
  IconDownload,
  IconPencil,
  IconPin,
  IconPinned,
  IconPinnedOff,
  IconPlus,
  IconSearch,
  IconShieldLock,
  IconTrash,
} from '@tabler/icons-react';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { Fragment, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { copyText } from '../../components/copy-text';
import { DeleteDialog } from '../../components/delete-dialog';
import { Empty, Failed, Loading } from '../../components/states';
import { ApiError } from '../../lib/http';
import {
  downloadSession,
  type Session,
  sessionAsMarkdown,
  useChangeSession,
  useDeleteSession,
  useSessions,
} from './api/sessions';
import { keepDraft } from './drafts';
import { SessionLabelsDialog } from './session-labels';

const DAY_MS = 86_400_000;

/** By the reader's own midnight. The list is sorted by it: pinned ones, then newest first. */
function ageOf(session: Session | undefined): 'pinned' | 'today' | 'yesterday' | 'week' | 'older' {
  if (session?.pinned) return 'pinned';
  const midnight = new Date().setHours(0, 0, 0, 0);
  const at = Date.parse(session?.updated_at ?? '');
  if (at >= midnight) return 'today';
  if (at >= midnight - DAY_MS) return 'yesterday';
  return at >= midnight - 6 * DAY_MS ? 'week' : 'older';
}

export function SessionList({ onOpen }: { onOpen: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { sessionId: current } = useParams({ strict: false });
  const [search, setSearch] = useState('');
  const [query] = useDebouncedValue(search, 200);
  const list = useSessions(query);
  const [renaming, setRenaming] = useState<Session>();
  const [deleting, setDeleting] = useState<Session>();
  const [labelled, setLabelled] = useState<Session>();
  const field = useRef<HTMLInputElement>(null);
  useHotkeys([['mod+K', () => field.current?.focus()]], []);
  const change = useChangeSession();
  const copyWhole = ({ session_id: id }: Session) =>
    sessionAsMarkdown(id)
      .then(copyText)
      .then(
        () => notifications.show({ message: t('sessions.copied') }),
        (error) =>
          notifications.show({
            color: 'red',
            message: error instanceof ApiError ? error.message : t('copy.failed'),
          }),
      );
  const sessions = list.data?.pages.flatMap((page) => page.sessions) ?? [];
  return (
    <Stack gap="xs" h="100%" mih={0}>
      <Button
        leftSection={<IconPlus size={16} aria-hidden />}
        onClick={() => {
          void navigate({ to: '/' });
          onOpen();
        }}
      >
        {t('sessions.new')}
      </Button>
      <TextInput
        ref={field}
        size="sm"
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
        placeholder={t('sessions.search')}
        aria-label={t('sessions.search')}
        leftSection={<IconSearch size={15} aria-hidden />}
      />
      <nav
        aria-label={t('sessions.title')}
        // A region that scrolls must be reachable by keyboard.
        // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
        tabIndex={0}
        className="session-list"
      >
        {list.isPending && <Loading />}
        {list.isError && <Failed error={list.error} onRetry={() => void list.refetch()} />}
        {list.isSuccess && sessions.length === 0 && (
          <Empty>{query ? t('sessions.nothing') : t('sessions.empty')}</Empty>
        )}
        {sessions.map((session, index) => (
          <Fragment key={session.session_id}>
            {ageOf(session) !== (index > 0 ? ageOf(sessions[index - 1]) : undefined) && (
              <Text size="xs" className="muted session-age">
                {t(`sessions.age.${ageOf(session)}`)}
              </Text>
            )}
            <div className="session-row" data-active={session.session_id === current}>
              <Link
                to="/chat/$sessionId"
                params={{ sessionId: session.session_id }}
                className="session-link"
                dir="auto"
                title={session.title}
                onClick={onOpen}
              >
                {session.pinned && <IconPinned size={13} aria-hidden className="session-pin" />}
                {session.title || session.session_id}
              </Link>
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
                    leftSection={
                      session.pinned ? <IconPinnedOff size={15} aria-hidden /> : <IconPin size={15} aria-hidden />
                    }
                    onClick={() => change.mutate({ id: session.session_id, pinned: !session.pinned })}
                  >
                    {t(session.pinned ? 'sessions.unpin' : 'sessions.pin')}
                  </Menu.Item>
                  <Menu.Item leftSection={<IconPencil size={15} aria-hidden />} onClick={() => setRenaming(session)}>
                    {t('sessions.rename')}
                  </Menu.Item>
                  <Menu.Item leftSection={<IconCopy size={15} aria-hidden />} onClick={() => void copyWhole(session)}>
                    {t('sessions.copy')}
                  </Menu.Item>
                  <Menu.Item
                    leftSection={<IconDownload size={15} aria-hidden />}
                    onClick={() => void downloadSession(session.session_id, 'markdown')}
                  >
                    {t('sessions.export.markdown')}
                  </Menu.Item>
                  <Menu.Item
                    leftSection={<IconDownload size={15} aria-hidden />}
                    onClick={() => void downloadSession(session.session_id, 'json')}
                  >
                    {t('sessions.export.json')}
                  </Menu.Item>
                  <Menu.Item
                    leftSection={<IconShieldLock size={15} aria-hidden />}
                    onClick={() => setLabelled(session)}
                  >
                    {t('sessions.labels')}
                  </Menu.Item>
                  <Menu.Divider />
                  <Menu.Item
                    color="red"
                    leftSection={<IconTrash size={15} aria-hidden />}
                    onClick={() => setDeleting(session)}
                  >
                    {t('sessions.delete')}
                  </Menu.Item>
                </Menu.Dropdown>
              </Menu>
            </div>
          </Fragment>
        ))}
        {list.hasNextPage && (
          <Button
            variant="subtle"
            size="xs"
            fullWidth
            loading={list.isFetchingNextPage}
            onClick={() => void list.fetchNextPage()}
          >
            {t('sessions.more')}
          </Button>
        )}
      </nav>
      {renaming && <RenameDialog session={renaming} onClose={() => setRenaming(undefined)} />}
      {labelled && <SessionLabelsDialog session={labelled} onClose={() => setLabelled(undefined)} />}
      {deleting && (
        <DeleteSession
          session={deleting}
          onClose={() => setDeleting(undefined)}
          onDeleted={() => {
            keepDraft(deleting.session_id, '');
            if (deleting.session_id === current) void navigate({ to: '/' });
          }}
        />
      )}
    </Stack>
  );
}

function RenameDialog({ session, onClose }: { session: Session; onClose: () => void }) {
  const { t } = useTranslation();
  const rename = useChangeSession();
  const [title, setTitle] = useState(session.title);
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('sessions.rename')}
      centered
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (title.trim()) rename.mutate({ id: session.session_id, title: title.trim() }, { onSuccess: onClose });
        }}
      >
        <TextInput
          label={t('sessions.name')}
          value={title}
          maxLength={200}
          data-autofocus
          onChange={(event) => setTitle(event.currentTarget.value)}
          error={rename.error?.message}
        />
        <Group justify="flex-end" mt="md">
          <Button type="submit" loading={rename.isPending} disabled={title.trim() === ''}>
            {t('action.save')}
          </Button>
        </Group>
      </form>
    </Modal>
  );
}

function DeleteSession({
  session,
  onClose,
  onDeleted,
}: {
  session: Session;
  onClose: () => void;
  onDeleted: () => void;
}) {
  const { t } = useTranslation();
  const remove = useDeleteSession();
  return (
    <DeleteDialog
      title={t('sessions.delete')}
      text={t('sessions.delete.sure', { title: session.title })}
      pending={remove.isPending}
      error={remove.error}
      onDelete={() =>
        remove.mutate(session.session_id, {
          onSuccess: () => {
            onDeleted();
            onClose();
          },
        })
      }
      onClose={onClose}
    />
  );
}
