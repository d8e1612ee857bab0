// The conversations: begin one, search, open, pick several out to delete them, bring one in.
import { ActionIcon, Button, Group, Menu, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue, useHotkeys } from '@mantine/hooks';
import { IconDotsVertical, IconListCheck, IconMessages, IconPlus, IconSearch, IconUpload } from '@tabler/icons-react';
import { useNavigate, useParams } from '@tanstack/react-router';
import { Fragment, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Empty, Failed, Loading } from '../../components/states';
import { chooseFile } from '../../lib/choose-file';
import { type Session, useSessions } from './api/sessions';
import { DeleteSessions } from './delete-sessions';
import { useImportSession } from './import-session';
import { MoreSessions } from './more-sessions';
import { PickedSessions } from './picked-sessions';
import { RenameDialog } from './rename-session';
import { SessionLabelsDialog } from './session-labels';
import { type SessionDialog, SessionRow } from './session-row';

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
  const [dialog, setDialog] = useState<{ kind: SessionDialog; sessions: readonly Session[] }>();
  const [picked, setPicked] = useState<ReadonlySet<string>>();
  const field = useRef<HTMLInputElement>(null);
  useHotkeys([['mod+K', () => field.current?.focus()]], []);
  const sessions = list.data?.pages.flatMap((page) => page.sessions) ?? [];
  const [subject] = dialog?.sessions ?? [];
  const closeDialog = () => setDialog(undefined);
  const pick = (id: string) =>
    setPicked((former = new Set()) =>
      former.has(id) ? new Set([...former].filter((each) => each !== id)) : new Set([...former, id]),
    );
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
      {picked ? (
        <PickedSessions
          shown={sessions}
          picked={picked}
          onPick={setPicked}
          onDelete={(chosen) => setDialog({ kind: 'delete', sessions: chosen })}
        />
      ) : (
        <Group gap={6} wrap="nowrap">
          <TextInput
            ref={field}
            size="sm"
            flex={1}
            miw={0}
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
            placeholder={t('sessions.search')}
            aria-label={t('sessions.search')}
            leftSection={<IconSearch size={15} aria-hidden />}
          />
          <ManageMenu onSelect={() => setPicked(new Set())} canSelect={sessions.length > 0} />
        </Group>
      )}
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
          <Empty icon={query ? IconSearch : IconMessages}>{t(query ? 'sessions.nothing' : 'sessions.empty')}</Empty>
        )}
        {sessions.map((session, index) => (
          <Fragment key={session.session_id}>
            {ageOf(session) !== (index > 0 ? ageOf(sessions[index - 1]) : undefined) && (
              <Text size="xs" className="muted session-age">
                {t(`sessions.age.${ageOf(session)}`)}
              </Text>
            )}
            <SessionRow
              session={session}
              current={session.session_id === current}
              picked={picked?.has(session.session_id)}
              onPick={() => pick(session.session_id)}
              onOpen={onOpen}
              onDialog={(kind) => setDialog({ kind, sessions: [session] })}
            />
          </Fragment>
        ))}
        {list.hasNextPage && (
          <MoreSessions reading={list.isFetchingNextPage} onRead={() => void list.fetchNextPage()} />
        )}
      </nav>
      {subject && dialog?.kind === 'rename' && <RenameDialog session={subject} onClose={closeDialog} />}
      {subject && dialog?.kind === 'labels' && <SessionLabelsDialog session={subject} onClose={closeDialog} />}
      {dialog?.kind === 'delete' && (
        <DeleteSessions
          sessions={dialog.sessions}
          onClose={closeDialog}
          onDeleted={() => {
            setPicked(undefined);
            if (dialog.sessions.some(({ session_id }) => session_id === current)) void navigate({ to: '/' });
          }}
        />
      )}
    </Stack>
  );
}

function ManageMenu({ onSelect, canSelect }: { onSelect: () => void; canSelect: boolean }) {
  const { t } = useTranslation();
  const bringIn = useImportSession();
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon variant="default" size={36} aria-label={t('sessions.manage')} title={t('sessions.manage')}>
          <IconDotsVertical size={16} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconListCheck size={15} aria-hidden />} disabled={!canSelect} onClick={onSelect}>
          {t('sessions.select')}
        </Menu.Item>
        <Menu.Item
          leftSection={<IconUpload size={15} aria-hidden />}
          onClick={() => chooseFile('application/json,.json', (file) => void bringIn(file))}
        >
          {t('sessions.import')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
