// What a server is given: network, folders, variables, secrets, trust. Nothing, unless somebody says so.
import {
  ActionIcon,
  Autocomplete,
  Button,
  Group,
  PasswordInput,
  Stack,
  Switch,
  TagsInput,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useDoctor } from './api/get-servers';
import { useSecretNames } from './api/imports';
import type { ImportDraft, SecretRow, VariableRow } from './import-draft';

interface GrantsProps {
  draft: ImportDraft;
  onChange: (part: Partial<ImportDraft>) => void;
}

export function ImportGrants({ draft, onChange }: GrantsProps) {
  const { t } = useTranslation();
  const doctor = useDoctor();
  const remote = draft.kind === 'remote';
  return (
    <section className="panel" style={{ padding: 16 }} aria-labelledby="grants">
      <Title order={2} size="h5" id="grants">
        {t('tools.grants')}
      </Title>
      <Text size="xs" className="muted" mb="md">
        {t('tools.grants.lead')}
      </Text>
      <Stack gap="md">
        {!remote && (
          <>
            <Switch
              label={t('tools.grants.network')}
              description={t('tools.grants.network.about')}
              checked={draft.network}
              onChange={(event) => onChange({ network: event.currentTarget.checked })}
            />
            <Group grow align="flex-start" preventGrowOverflow={false}>
              <TagsInput
                miw={220}
                label={t('tools.grants.readable')}
                description={t('tools.grants.folders.about')}
                placeholder="/home/me/documents"
                value={draft.readable}
                onChange={(readable) => onChange({ readable })}
              />
              <TagsInput
                miw={220}
                label={t('tools.grants.writable')}
                description={t('tools.grants.folders.about')}
                value={draft.writable}
                onChange={(writable) => onChange({ writable })}
              />
            </Group>
          </>
        )}
        <Variables
          title={t(remote ? 'tools.grants.headers' : 'tools.grants.variables')}
          rows={draft.variables}
          onChange={(variables) => onChange({ variables })}
        />
        <Secrets remote={remote} rows={draft.secrets} onChange={(secrets) => onChange({ secrets })} />
        <Switch
          label={t('tools.grants.trusted')}
          description={t('tools.grants.trusted.about')}
          checked={draft.trusted}
          onChange={(event) => onChange({ trusted: event.currentTarget.checked })}
        />
        {!remote && doctor.data?.isolation.best === 'plain' && (
          <Switch
            label={t('tools.grants.plain')}
            description={t('tools.grants.plain.about')}
            checked={draft.allowPlain}
            onChange={(event) => onChange({ allowPlain: event.currentTarget.checked })}
          />
        )}
      </Stack>
    </section>
  );
}

function Variables({
  title,
  rows,
  onChange,
}: {
  title: string;
  rows: readonly VariableRow[];
  onChange: (rows: VariableRow[]) => void;
}) {
  const { t } = useTranslation();
  const set = (id: number, part: Partial<VariableRow>) =>
    onChange(rows.map((row) => (row.id === id ? { ...row, ...part } : row)));
  return (
    <RowList
      title={title}
      add={t('tools.grants.variables.add')}
      onAdd={() => onChange([...rows, { id: nextId(rows), name: '', value: '', about: '', required: false }])}
    >
      {rows.map((row) => (
        <Row
          key={row.id}
          about={row.about}
          label={row.name}
          onRemove={() => onChange(rows.filter(({ id }) => id !== row.id))}
        >
          <TextInput
            flex={1}
            miw={140}
            label={t('tools.grants.name')}
            autoComplete="off"
            spellCheck={false}
            value={row.name}
            onChange={(event) => set(row.id, { name: event.currentTarget.value })}
          />
          <TextInput
            flex={2}
            miw={160}
            label={t('tools.grants.value')}
            required={row.required}
            autoComplete="off"
            spellCheck={false}
            value={row.value}
            onChange={(event) => set(row.id, { value: event.currentTarget.value })}
          />
        </Row>
      ))}
    </RowList>
  );
}

function Secrets({
  remote,
  rows,
  onChange,
}: {
  remote: boolean;
  rows: readonly SecretRow[];
  onChange: (rows: SecretRow[]) => void;
}) {
  const { t } = useTranslation();
  const { data: names = [] } = useSecretNames();
  const set = (id: number, part: Partial<SecretRow>) =>
    onChange(rows.map((row) => (row.id === id ? { ...row, ...part } : row)));
  const variable = remote ? 'Authorization' : '';
  return (
    <RowList
      title={t('tools.grants.secrets')}
      add={t('tools.grants.secrets.add')}
      onAdd={() =>
        onChange([...rows, { id: nextId(rows), variable, secret: '', value: '', about: '', required: false }])
      }
    >
      {rows.map((row) => (
        <Row
          key={row.id}
          about={row.about}
          label={row.variable}
          onRemove={() => onChange(rows.filter(({ id }) => id !== row.id))}
        >
          <TextInput
            flex={1}
            miw={140}
            label={t(remote ? 'tools.grants.header' : 'tools.grants.variable')}
            autoComplete="off"
            spellCheck={false}
            value={row.variable}
            onChange={(event) => set(row.id, { variable: event.currentTarget.value })}
          />
          <Autocomplete
            flex={1}
            miw={140}
            label={t('tools.grants.secret')}
            data={names}
            autoComplete="off"
            value={row.secret}
            onChange={(secret) => set(row.id, { secret })}
          />
          <PasswordInput
            flex={1}
            miw={160}
            label={t('tools.grants.value')}
            required={row.required && !names.includes(row.secret)}
            placeholder={names.includes(row.secret) ? t('tools.secret.kept') : ''}
            autoComplete="new-password"
            visibilityToggleButtonProps={{ 'aria-label': t('tools.secret.show') }}
            value={row.value}
            onChange={(event) => set(row.id, { value: event.currentTarget.value })}
          />
        </Row>
      ))}
    </RowList>
  );
}

function RowList({
  title,
  add,
  onAdd,
  children,
}: {
  title: string;
  add: string;
  onAdd: () => void;
  children: React.ReactNode[];
}) {
  return (
    <section aria-label={title}>
      <Group justify="space-between" mb={children.length > 0 ? 'xs' : 0}>
        <Text size="sm" fw={500}>
          {title}
        </Text>
        <Button size="compact-xs" variant="default" leftSection={<IconPlus size={13} aria-hidden />} onClick={onAdd}>
          {add}
        </Button>
      </Group>
      <Stack gap="sm">{children}</Stack>
    </section>
  );
}

function Row({
  about,
  label,
  onRemove,
  children,
}: {
  about: string;
  label: string;
  onRemove: () => void;
  children: React.ReactNode;
}) {
  const { t } = useTranslation();
  return (
    <div className="grant-row">
      {about && (
        <Text size="xs" className="muted" mb={4}>
          {about}
        </Text>
      )}
      <Group gap="xs" align="flex-end">
        {children}
        <ActionIcon
          variant="subtle"
          color="gray"
          size={36}
          aria-label={t('tools.grants.remove', { name: label })}
          onClick={onRemove}
        >
          <IconTrash size={16} aria-hidden />
        </ActionIcon>
      </Group>
    </div>
  );
}

const nextId = (rows: readonly { id: number }[]): number => Math.max(-1, ...rows.map(({ id }) => id)) + 1;
