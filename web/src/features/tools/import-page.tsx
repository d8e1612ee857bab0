// The beginning of an import: where the server comes from, and what it would be given. Nothing of it runs before somebody
// has looked at the plan that is made of this.
import { Alert, Button, Group, SegmentedControl, Stack, Text } from '@mantine/core';
import { IconArrowLeft, IconShieldCheck } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { AnchorLink } from '../../components/links';
import { PageHeader } from '../../components/page-header';
import { ScrollRow } from '../../components/scroll-row';
import { Failed, Loading } from '../../components/states';
import { useRegistryEntry } from './api/get-registry';
import { useImport } from './api/imports';
import {
  EMPTY_DRAFT,
  fromRegistry,
  type ImportDraft,
  isComplete,
  optionsOf,
  SOURCES,
  type SourceKind,
  toRequest,
} from './import-draft';
import { ImportGrants } from './import-grants';
import { ImportSource } from './import-source';
import { PasteConfig } from './paste-config';

export function ImportPage() {
  const { t } = useTranslation();
  const { registry, option = 0 } = useSearch({ from: '/tools/import' });
  const entry = useRegistryEntry(registry);
  const chosen = entry.data && (optionsOf(entry.data)[option] ?? null);
  return (
    <div className="page" style={{ maxWidth: 860 }}>
      <AnchorLink to="/tools" size="sm" className="back-link">
        <IconArrowLeft size={15} aria-hidden /> {t('tools.title')}
      </AnchorLink>
      <PageHeader
        title={entry.data ? t('tools.import.of', { name: entry.data.title }) : t('tools.add')}
        lead={t('tools.import.lead')}
      />
      {registry === undefined ? (
        <ImportForm key="empty" start={EMPTY_DRAFT} />
      ) : (
        <>
          {entry.isPending && <Loading />}
          {entry.isError && <Failed error={entry.error} onRetry={() => void entry.refetch()} />}
          {entry.data && chosen && (
            <ImportForm key={`${registry} ${option}`} start={fromRegistry(entry.data, chosen)} />
          )}
          {entry.data && !chosen && (
            <Alert color="orange" variant="light">
              {t('tools.registry.foreign')}
            </Alert>
          )}
        </>
      )}
    </div>
  );
}

function ImportForm({ start }: { start: ImportDraft }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [kind, setKind] = useState<SourceKind>(start.kind);
  const [draft, setDraft] = useState(start);
  const ask = useImport();
  const change = (part: Partial<ImportDraft>) => setDraft((before) => ({ ...before, ...part }));
  const submit = () =>
    ask.mutate(toRequest(draft), {
      onSuccess: ({ operation_id: id }) =>
        void navigate({ to: '/tools/imports/$operationId', params: { operationId: id } }),
    });
  return (
    <Stack gap="md">
      <ScrollRow>
        <SegmentedControl
          aria-label={t('tools.import.source')}
          value={kind}
          data={SOURCES.map((each) => ({ value: each, label: t(`tools.source.${each}`) }))}
          onChange={(next) => {
            setKind(next as SourceKind);
            if (next !== 'config') change({ kind: next as ImportDraft['kind'] });
            ask.reset();
          }}
        />
      </ScrollRow>
      {kind === 'config' ? (
        <PasteConfig />
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            submit();
          }}
        >
          <Stack gap="md">
            <ImportSource draft={draft} onChange={change} />
            <ImportGrants draft={draft} onChange={change} />
            {ask.isError && (
              <Alert color="red" variant="light" role="alert">
                {ask.error.message}
              </Alert>
            )}
            <Group justify="space-between">
              <Group gap={8} wrap="nowrap" className="muted" maw={480}>
                <IconShieldCheck size={18} aria-hidden style={{ flex: 'none' }} />
                <Text size="xs">{t('tools.import.safe')}</Text>
              </Group>
              <Button type="submit" disabled={!isComplete(draft)} loading={ask.isPending}>
                {t('tools.import.look')}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Stack>
  );
}
