// What Venom remembers: search it, add to it, take files in, forget.
import {
  ActionIcon,
  Alert,
  Badge,
  Button,
  FileButton,
  Group,
  Modal,
  Stack,
  Tabs,
  Text,
  Textarea,
  TextInput,
  Tooltip,
} from '@mantine/core';
import { useDebouncedValue, useDisclosure } from '@mantine/hooks';
import {
  IconBrain,
  IconDownload,
  IconFileText,
  IconInfoCircle,
  IconPlus,
  IconSearch,
  IconTrash,
  IconUpload,
} from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { MemoryItem } from '../../../../src/contract/memory';
import { Excerpt } from '../../components/excerpt';
import { PageHeader } from '../../components/page-header';
import { ScrollRow } from '../../components/scroll-row';
import { Empty, Failed, Loading } from '../../components/states';
import { bytes, day, moment } from '../../lib/format';
import { send } from '../../lib/http';
import { saveFile } from '../../lib/save-file';
import {
  upload,
  useKnowledgeFiles,
  useLessons,
  useMemories,
  useMemoryAction,
  useMemorySearch,
  useMemoryStatus,
} from './api/get-memory';
import { HiddenPrompts } from './hidden-prompts';
import { LearnedPhrases } from './learned-phrases';

const FILES = '.txt,.md,.markdown,.html,.htm,.pdf,.docx';

export function MemoryPage() {
  const { t } = useTranslation();
  const status = useMemoryStatus();
  return (
    <div className="page">
      <PageHeader title={t('memory.title')} lead={t('memory.lead')} />
      {status.data?.degraded && (
        <Alert variant="light" color="gray" mb="md" icon={<IconInfoCircle size={18} aria-hidden />}>
          {t('memory.lexical')}
        </Alert>
      )}
      <Tabs defaultValue="memories" keepMounted={false}>
        <ScrollRow>
          <Tabs.List>
            <Tabs.Tab value="memories">
              {t('memory.tab.memories')}
              {status.data ? ` (${status.data.entries})` : ''}
            </Tabs.Tab>
            <Tabs.Tab value="files">{t('memory.tab.files')}</Tabs.Tab>
            <Tabs.Tab value="lessons">{t('memory.tab.lessons')}</Tabs.Tab>
            <Tabs.Tab value="phrases">{t('memory.tab.phrases')}</Tabs.Tab>
            <Tabs.Tab value="examples">{t('memory.tab.examples')}</Tabs.Tab>
          </Tabs.List>
        </ScrollRow>
        <Tabs.Panel value="memories" pt="md">
          <Memories />
        </Tabs.Panel>
        <Tabs.Panel value="files" pt="md">
          <Files />
        </Tabs.Panel>
        <Tabs.Panel value="lessons" pt="md">
          <Lessons />
        </Tabs.Panel>
        <Tabs.Panel value="phrases" pt="md">
          <LearnedPhrases />
        </Tabs.Panel>
        <Tabs.Panel value="examples" pt="md">
          <HiddenPrompts />
        </Tabs.Panel>
      </Tabs>
    </div>
  );
}

function Memories() {
  const { t } = useTranslation();
  const [search, setSearch] = useState('');
  const [query] = useDebouncedValue(search.trim(), 250);
  const memories = useMemories();
  const found = useMemorySearch(query);
  const action = useMemoryAction();
  const [adding, { open, close }] = useDisclosure(false);
  const [forgetting, forget] = useDisclosure(false);
  const shown = memories.data?.pages.flatMap((page) => page.memories) ?? [];
  return (
    <Stack>
      <Group>
        <TextInput
          flex={1}
          miw={200}
          value={search}
          aria-label={t('memory.search')}
          placeholder={t('memory.search')}
          leftSection={<IconSearch size={16} aria-hidden />}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
        <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={open}>
          {t('memory.add')}
        </Button>
        <Tooltip label={t('memory.export')}>
          <ActionIcon size="lg" variant="default" aria-label={t('memory.export')} onClick={() => void exportMemories()}>
            <IconDownload size={17} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <Tooltip label={t('memory.forget.all')}>
          <ActionIcon size="lg" variant="default" aria-label={t('memory.forget.all')} onClick={forget.open}>
            <IconTrash size={17} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Group>
      {query.length > 1 ? (
        <>
          {found.isPending && <Loading />}
          {found.isError && <Failed error={found.error} onRetry={() => void found.refetch()} />}
          {found.data?.results.length === 0 && <Empty icon={IconSearch}>{t('memory.nothing')}</Empty>}
          {found.data?.results.map(({ text, metadata, score }) => (
            <article
              key={`${metadata['memory_id']} ${metadata['start']}`}
              className="panel"
              style={{ padding: 14, display: 'flex', justifyContent: 'space-between', gap: 10 }}
            >
              <div style={{ minWidth: 0 }}>
                <Excerpt text={text} />
                <Text size="xs" className="muted" mt={4}>
                  {[
                    t(`memory.source.${metadata['source']}`, { defaultValue: String(metadata['source'] ?? '') }),
                    t('memory.near', { value: Math.round((1 - score) * 100) }),
                  ]
                    .filter(Boolean)
                    .join(' · ')}
                </Text>
              </div>
              <Tooltip label={t('memory.forget')}>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={`${t('memory.forget')} ${text.slice(0, 60)}`}
                  onClick={() => action.mutate({ path: `/memory/entries/${metadata['memory_id']}`, method: 'DELETE' })}
                >
                  <IconTrash size={16} aria-hidden />
                </ActionIcon>
              </Tooltip>
            </article>
          ))}
        </>
      ) : (
        <>
          {memories.isPending && <Loading />}
          {memories.isError && <Failed error={memories.error} onRetry={() => void memories.refetch()} />}
          {memories.isSuccess && shown.length === 0 && <Empty icon={IconBrain}>{t('memory.empty')}</Empty>}
          {shown.map((memory) => (
            <MemoryCard
              key={memory.memory_id}
              memory={memory}
              onForget={() => action.mutate({ path: `/memory/entries/${memory.memory_id}`, method: 'DELETE' })}
            />
          ))}
          {memories.hasNextPage && (
            <Button
              variant="default"
              loading={memories.isFetchingNextPage}
              onClick={() => void memories.fetchNextPage()}
            >
              {t('sessions.more')}
            </Button>
          )}
        </>
      )}
      <AddDialog opened={adding} onClose={close} />
      <Modal
        opened={forgetting}
        onClose={forget.close}
        title={t('memory.forget.all')}
        closeButtonProps={{ 'aria-label': t('action.close') }}
      >
        <Text size="sm">{t('memory.forget.sure')}</Text>
        <Group justify="flex-end" mt="md">
          <Button variant="default" onClick={forget.close}>
            {t('action.cancel')}
          </Button>
          <Button
            color="red"
            onClick={() => {
              forget.close();
              action.mutate({ path: '/memory/global', method: 'DELETE' });
            }}
          >
            {t('memory.forget')}
          </Button>
        </Group>
      </Modal>
    </Stack>
  );
}

function MemoryCard({ memory, onForget }: { memory: MemoryItem; onForget: () => void }) {
  const { t, i18n } = useTranslation();
  return (
    <article className="panel" style={{ padding: 14 }}>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <div style={{ minWidth: 0 }}>
          <Group gap={6} mb={4}>
            <Badge size="sm" variant="light" tt="none">
              {t(`memory.kind.${memory.kind}`)}
            </Badge>
            <Badge size="sm" variant="default" tt="none">
              {t(`memory.origin.${memory.origin}`)}
            </Badge>
            {memory.labels.length > 0 && (
              <Badge size="sm" variant="light" color="orange" tt="none">
                {t('privacy.sensitive')}
              </Badge>
            )}
          </Group>
          <Excerpt text={memory.text} />
          <Text size="xs" className="muted" mt={4}>
            {[
              t(`memory.source.${memory.source}`, { defaultValue: memory.source }),
              memory.scope === 'session' ? t('memory.scope.session') : t('memory.scope.global'),
              moment(memory.created_at, i18n.language),
              memory.expires_at ? t('memory.until', { time: day(memory.expires_at, i18n.language) }) : null,
            ]
              .filter(Boolean)
              .join(' · ')}
          </Text>
        </div>
        <Tooltip label={t('memory.forget')}>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={`${t('memory.forget')} ${memory.text.slice(0, 60)}`}
            onClick={onForget}
          >
            <IconTrash size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Group>
    </article>
  );
}

function AddDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const action = useMemoryAction();
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={t('memory.add')}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <Textarea
        autosize
        minRows={3}
        maxRows={10}
        maxLength={20_000}
        data-autofocus
        aria-label={t('memory.text')}
        placeholder={t('memory.text.hint')}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Group justify="flex-end" mt="md">
        <Button
          disabled={text.trim() === ''}
          loading={action.isPending}
          onClick={() =>
            action.mutate(
              { path: '/memory/ingest', json: { text: text.trim(), category: 'user', scope: 'global' } },
              {
                onSuccess: () => {
                  setText('');
                  onClose();
                },
              },
            )
          }
        >
          {t('memory.remember')}
        </Button>
      </Group>
    </Modal>
  );
}

function Files() {
  const { t, i18n } = useTranslation();
  const files = useKnowledgeFiles();
  const action = useMemoryAction();
  return (
    <Stack>
      <Group justify="space-between">
        <Text size="sm" className="muted">
          {t('memory.files.lead')}
        </Text>
        <FileButton accept={FILES} onChange={(file) => file && action.mutate(upload(file))}>
          {(props) => (
            <Button {...props} loading={action.isPending} leftSection={<IconUpload size={16} aria-hidden />}>
              {t('memory.files.add')}
            </Button>
          )}
        </FileButton>
      </Group>
      {files.isPending && <Loading />}
      {files.isError && <Failed error={files.error} onRetry={() => void files.refetch()} />}
      {files.data?.files.length === 0 && <Empty icon={IconFileText}>{t('memory.files.empty')}</Empty>}
      {files.data?.files.map((file) => (
        <article key={file.file_id} className="panel" style={{ padding: 14 }}>
          <Group justify="space-between" wrap="nowrap">
            <div style={{ minWidth: 0 }}>
              <Text fw={500} style={{ overflowWrap: 'anywhere' }}>
                {file.name}
              </Text>
              <Text size="xs" className="muted">
                {[
                  bytes(file.size_bytes, i18n.language),
                  file.pages === null ? null : t('memory.files.pages', { count: file.pages }),
                  t('memory.files.chunks', { count: file.chunks }),
                ]
                  .filter(Boolean)
                  .join(' · ')}
              </Text>
            </div>
            <Tooltip label={t('memory.forget')}>
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={`${t('memory.forget')} ${file.name}`}
                onClick={() => action.mutate({ path: `/knowledge/files/${file.file_id}`, method: 'DELETE' })}
              >
                <IconTrash size={16} aria-hidden />
              </ActionIcon>
            </Tooltip>
          </Group>
        </article>
      ))}
    </Stack>
  );
}

function Lessons() {
  const { t, i18n } = useTranslation();
  const lessons = useLessons();
  const action = useMemoryAction();
  return (
    <Stack>
      {lessons.isPending && <Loading />}
      {lessons.isError && <Failed error={lessons.error} onRetry={() => void lessons.refetch()} />}
      {lessons.data?.lessons.length === 0 && <Empty>{t('memory.lessons.empty')}</Empty>}
      {lessons.data?.lessons.map((lesson) => (
        <article key={lesson.lesson_id} className="panel" style={{ padding: 14 }}>
          <Group justify="space-between" wrap="nowrap" align="flex-start">
            <div style={{ minWidth: 0 }}>
              <Text size="sm" fw={500} lineClamp={2}>
                {lesson.situation}
              </Text>
              <Excerpt text={lesson.conclusion} />
              <Text size="xs" className="muted" mt={4}>
                {moment(lesson.timestamp, i18n.language)}
              </Text>
            </div>
            <Tooltip label={t('memory.forget')}>
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={`${t('memory.forget')} ${lesson.situation.slice(0, 60)}`}
                onClick={() => action.mutate({ path: `/lessons/${lesson.lesson_id}`, method: 'DELETE' })}
              >
                <IconTrash size={16} aria-hidden />
              </ActionIcon>
            </Tooltip>
          </Group>
        </article>
      ))}
    </Stack>
  );
}

async function exportMemories(): Promise<void> {
  const response = await send('/memory/export');
  saveFile(await response.blob(), 'venom-memory.json');
}
