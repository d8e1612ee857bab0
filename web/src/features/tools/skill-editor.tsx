// The files of a skill: one opened at a time, written back only over what was opened.
import { ActionIcon, Alert, Button, Code, Group, NavLink, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { IconFile, IconLink, IconPlus, IconTrash } from '@tabler/icons-react';
import { useBlocker } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { bytes } from '../../lib/format';
import { visibleText } from '../../lib/visible-text';
import { type SkillFile, useDeleteFile, useWriteFile } from './api/own-skills';
import { Sure } from './server-actions';

interface Draft {
  /** The text as it was opened. */
  before: string;
  text: string;
}

const FIRST = ['skill.mjs', 'SKILL.md', 'skill.json'];

export function SkillEditor({ name, files }: { name: string; files: readonly SkillFile[] }) {
  const { t, i18n } = useTranslation();
  const [path, setPath] = useState(
    () => FIRST.find((each) => files.some((file) => file.path === each)) ?? files[0]?.path,
  );
  const [drafts, setDrafts] = useState<Readonly<Record<string, Draft>>>({});
  const [deleting, setDeleting] = useState<SkillFile | null>(null);
  const write = useWriteFile(name);
  const deleteFile = useDeleteFile(name);
  const file = files.find((each) => each.path === path);
  const draft = path === undefined ? undefined : drafts[path];
  const dirty = Object.keys(drafts).length > 0;
  useBlocker({
    shouldBlockFn: () => dirty && !window.confirm(t('tools.editor.leave')),
    enableBeforeUnload: () => dirty,
  });

  const forget = (of: string) => setDrafts(({ [of]: _, ...others }) => others);
  const save = () => {
    if (path === undefined || !draft) return;
    write.mutate({ path, ...draft }, { onSuccess: () => forget(path) });
  };
  // Somebody else, or another window, has written the file since it was opened.
  const overtaken = draft && file?.text !== draft.before;
  return (
    <div className="skill-editor">
      <Stack gap={4}>
        <nav aria-label={t('tools.own.files')}>
          {files.map((each) => (
            <NavLink
              key={each.path}
              component="button"
              type="button"
              active={each.path === path}
              label={`${each.path}${drafts[each.path] ? ' •' : ''}`}
              leftSection={
                each.link_to === null ? <IconFile size={15} aria-hidden /> : <IconLink size={15} aria-hidden />
              }
              py={6}
              style={{ borderRadius: 8, overflowWrap: 'anywhere' }}
              onClick={() => setPath(each.path)}
            />
          ))}
        </nav>
        <NewFile
          taken={files.map((each) => each.path)}
          pending={write.isPending}
          onCreate={(created) =>
            write.mutate({ path: created, text: '', before: null }, { onSuccess: () => setPath(created) })
          }
        />
      </Stack>
      <div style={{ minWidth: 0 }}>
        {file && file.link_to !== null && (
          <Stack gap="sm" align="flex-start">
            <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
              {t('tools.editor.link')} <Code>{visibleText(file.link_to)}</Code>
            </Text>
            <Text size="sm" className="muted">
              {t('tools.editor.link.about')}
            </Text>
            <Button
              size="xs"
              variant="default"
              leftSection={<IconTrash size={14} aria-hidden />}
              onClick={() => setDeleting(file)}
            >
              {t('tools.editor.link.delete')}
            </Button>
          </Stack>
        )}
        {file && file.text === null && file.link_to === null && (
          <Text size="sm" className="muted">
            {t('tools.editor.binary', { size: bytes(file.size_bytes, i18n.language) })}
          </Text>
        )}
        {file && file.text !== null && (
          <Stack gap="sm">
            {overtaken && (
              <Alert color="orange" variant="light">
                <Group justify="space-between">
                  {t('tools.editor.overtaken')}
                  <Button size="compact-sm" variant="default" onClick={() => forget(file.path)}>
                    {t('tools.editor.reload')}
                  </Button>
                </Group>
              </Alert>
            )}
            <Textarea
              aria-label={file.path}
              autosize
              minRows={16}
              maxRows={34}
              spellCheck={false}
              wrap="off"
              styles={{
                input: {
                  fontFamily: 'var(--mantine-font-family-monospace)',
                  fontSize: 13,
                  lineHeight: 1.6,
                  tabSize: 2,
                },
              }}
              value={draft?.text ?? file.text}
              onChange={({ currentTarget: { value } }) => {
                const before = draft?.before ?? file.text ?? '';
                if (value === before) forget(file.path);
                else setDrafts({ ...drafts, [file.path]: { before, text: value } });
              }}
              onKeyDown={(event) => {
                if (event.key !== 's' || !(event.ctrlKey || event.metaKey)) return;
                event.preventDefault();
                save();
              }}
            />
            <Group justify="space-between">
              <Group gap="xs">
                <Button size="xs" disabled={!draft || overtaken} loading={write.isPending} onClick={save}>
                  {t('action.save')}
                </Button>
                {draft && (
                  <Button size="xs" variant="default" onClick={() => forget(file.path)}>
                    {t('tools.editor.undo')}
                  </Button>
                )}
              </Group>
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={t('tools.editor.delete', { path: file.path })}
                onClick={() => setDeleting(file)}
              >
                <IconTrash size={16} aria-hidden />
              </ActionIcon>
            </Group>
          </Stack>
        )}
      </div>
      <Sure
        opened={deleting !== null}
        title={t('sessions.delete')}
        button={t('sessions.delete')}
        loading={deleteFile.isPending}
        onClose={() => setDeleting(null)}
        onSure={() =>
          deleting &&
          deleteFile.mutate(
            { path: deleting.path, before: deleting.link_to ?? deleting.text ?? '' },
            {
              onSuccess: () => {
                forget(deleting.path);
                setPath(files.find((each) => each.path !== deleting.path)?.path);
                setDeleting(null);
              },
            },
          )
        }
      >
        {t('sessions.delete.sure', { title: deleting?.path ?? '' })}
      </Sure>
    </div>
  );
}

function NewFile({
  taken,
  pending,
  onCreate,
}: {
  taken: readonly string[];
  pending: boolean;
  onCreate: (path: string) => void;
}) {
  const { t } = useTranslation();
  const [path, setPath] = useState('');
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onCreate(path);
        setPath('');
      }}
    >
      <Group gap={4} wrap="nowrap">
        <TextInput
          size="xs"
          flex={1}
          aria-label={t('tools.editor.new')}
          placeholder={t('tools.editor.new')}
          autoComplete="off"
          spellCheck={false}
          value={path}
          onChange={(event) => setPath(event.currentTarget.value)}
        />
        <ActionIcon
          type="submit"
          variant="default"
          size={30}
          aria-label={t('tools.editor.add')}
          loading={pending}
          disabled={path.trim() === '' || taken.includes(path)}
        >
          <IconPlus size={15} aria-hidden />
        </ActionIcon>
      </Group>
    </form>
  );
}
