// The API reference: every operation of this server by what it is about, made from the document it gives of itself.
import { Accordion, Badge, Button, Group, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconDownload, IconSearch } from '@tabler/icons-react';
import { getRouteApi } from '@tanstack/react-router';
import { useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { PageHeader } from '../../components/page-header';
import { Empty, Failed, Loading } from '../../components/states';
import { type ApiOperation, type ApiReference, useApiReference } from './api/api-document';
import { useSaveDocument } from './api/save-document';
import { OperationDetails } from './operation-details';

const route = getRouteApi('/docs');

const COLOUR: Record<string, string> = { GET: 'blue', POST: 'teal', PUT: 'orange', PATCH: 'orange', DELETE: 'red' };

export function ReferencePage() {
  const { t } = useTranslation();
  const reference = useApiReference();
  const save = useSaveDocument();
  return (
    <div className="page">
      <PageHeader title={t('reference.title')} lead={t('reference.lead')}>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconDownload size={15} aria-hidden />}
          loading={save.isPending}
          onClick={() => save.mutate()}
        >
          openapi.json
        </Button>
      </PageHeader>
      {reference.isPending && <Loading />}
      {reference.isError && <Failed error={reference.error} onRetry={() => void reference.refetch()} />}
      {reference.data && <Operations reference={reference.data} />}
    </div>
  );
}

function Operations({ reference }: { reference: ApiReference }) {
  const { t } = useTranslation();
  const [search, setSearch] = useState('');
  const words = useDeferredValue(search).toLowerCase().split(/\s+/).filter(Boolean);
  const groups = useMemo(() => grouped(reference.operations), [reference.operations]);
  const shown = groups
    .map(({ tag, operations }) => ({ tag, operations: operations.filter((operation) => fits(operation, words)) }))
    .filter(({ operations }) => operations.length > 0);
  return (
    <Stack gap="lg">
      <TextInput
        aria-label={t('reference.search')}
        placeholder={t('reference.search')}
        leftSection={<IconSearch size={15} aria-hidden />}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      <Text size="xs" className="muted" role="status">
        {t('reference.count', {
          shown: shown.reduce((sum, { operations }) => sum + operations.length, 0),
          all: reference.operations.length,
        })}
      </Text>
      {shown.length === 0 && <Empty>{t('reference.nothing')}</Empty>}
      {shown.map(({ tag, operations }) => (
        <section key={tag} aria-labelledby={`tag-${tag}`}>
          <Title order={2} size="h5" mb="xs" id={`tag-${tag}`}>
            {t(`reference.tag.${tag}`, { defaultValue: tag })}
          </Title>
          <OperationList operations={operations} reference={reference} />
        </section>
      ))}
    </Stack>
  );
}

function OperationList({ operations, reference }: { operations: ApiOperation[]; reference: ApiReference }) {
  const { operation: wanted } = route.useSearch();
  const navigate = route.useNavigate();
  const open = operations.find(({ id }) => id === wanted)?.id ?? null;
  const place = useRef<HTMLDivElement>(null);
  // Who follows a link to an operation is shown it; who opens one by hand sees it already.
  const linked = useRef(open);
  useEffect(() => {
    if (linked.current) place.current?.querySelector('[data-active]')?.scrollIntoView({ block: 'start' });
  }, []);
  return (
    <Accordion
      ref={place}
      order={3}
      variant="contained"
      radius="md"
      value={open}
      onChange={(id) => void navigate({ search: id ? { operation: id } : {}, replace: true })}
    >
      {operations.map((operation) => (
        <Accordion.Item key={operation.id} value={operation.id}>
          <Accordion.Control>
            <Group gap="xs" wrap="wrap">
              <Badge variant="light" size="sm" radius="sm" miw={62} color={COLOUR[operation.method] ?? 'gray'}>
                {operation.method}
              </Badge>
              <Text span size="sm" ff="monospace" style={{ overflowWrap: 'anywhere' }}>
                {operation.path}
              </Text>
              <Text span size="sm" className="muted">
                {operation.summary}
              </Text>
            </Group>
          </Accordion.Control>
          <Accordion.Panel>
            {open === operation.id && <OperationDetails operation={operation} schemas={reference.schemas} />}
          </Accordion.Panel>
        </Accordion.Item>
      ))}
    </Accordion>
  );
}

function grouped(operations: readonly ApiOperation[]): { tag: string; operations: ApiOperation[] }[] {
  const byTag = Map.groupBy(operations, ({ tag }) => tag);
  return [...byTag].map(([tag, operations]) => ({ tag, operations }));
}

const fits = ({ title, summary, tag }: ApiOperation, words: readonly string[]): boolean => {
  const text = `${title} ${summary} ${tag}`.toLowerCase();
  return words.every((word) => text.includes(word));
};
