// Where a server comes from: an address or a package, and the name it gets here.
import { Group, Stack, Switch, TagsInput, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { BundleFields } from './import-bundle';
import { type ImportDraft, nameFrom, placeOf } from './import-draft';

interface PartProps {
  draft: ImportDraft;
  onChange: (part: Partial<ImportDraft>) => void;
}

export function ImportSource({ draft, onChange }: PartProps) {
  const { t } = useTranslation();
  return (
    <section className="panel" style={{ padding: 16 }} aria-label={t('tools.import.source')}>
      <Stack gap="sm">
        {draft.kind === 'git' && <GitFields draft={draft} onChange={onChange} />}
        {(draft.kind === 'npm' || draft.kind === 'pypi') && <PackageFields draft={draft} onChange={onChange} />}
        {draft.kind === 'bundle' && <BundleFields draft={draft} onChange={onChange} />}
        {draft.kind === 'remote' && <RemoteFields draft={draft} onChange={onChange} />}
        <TextInput
          label={t('tools.import.name')}
          description={t('tools.import.name.about')}
          placeholder={nameFrom(placeOf(draft))}
          maxLength={40}
          autoComplete="off"
          value={draft.name}
          onChange={(event) => onChange({ name: event.currentTarget.value })}
        />
      </Stack>
    </section>
  );
}

function GitFields({ draft, onChange }: PartProps) {
  const { t } = useTranslation();
  return (
    <>
      <TextInput
        label={t('tools.import.git')}
        description={t('tools.import.git.about')}
        placeholder="https://github.com/owner/server.git"
        required
        autoComplete="off"
        spellCheck={false}
        value={draft.address}
        onChange={(event) => onChange({ address: event.currentTarget.value })}
      />
      <Group grow align="flex-start" preventGrowOverflow={false}>
        <TextInput
          miw={200}
          label={t('tools.import.ref')}
          description={t('tools.import.ref.about')}
          placeholder="main"
          autoComplete="off"
          spellCheck={false}
          value={draft.ref}
          onChange={(event) => onChange({ ref: event.currentTarget.value })}
        />
        <TextInput
          miw={200}
          label={t('tools.import.entrypoint')}
          description={t('tools.import.entrypoint.about')}
          placeholder="python server.py"
          autoComplete="off"
          spellCheck={false}
          value={draft.entrypoint}
          onChange={(event) => onChange({ entrypoint: event.currentTarget.value })}
        />
      </Group>
      <Switch
        label={t('tools.import.ignoreLock')}
        description={t('tools.import.ignoreLock.about')}
        checked={draft.ignoreLock}
        onChange={(event) => onChange({ ignoreLock: event.currentTarget.checked })}
      />
    </>
  );
}

function PackageFields({ draft, onChange }: PartProps) {
  const { t } = useTranslation();
  const npm = draft.kind === 'npm';
  return (
    <>
      <Group grow align="flex-start" preventGrowOverflow={false}>
        <TextInput
          miw={220}
          label={t('tools.import.package')}
          placeholder={npm ? '@modelcontextprotocol/server-memory' : 'mcp-server-time'}
          required
          autoComplete="off"
          spellCheck={false}
          value={draft.package}
          onChange={(event) => onChange({ package: event.currentTarget.value })}
        />
        <TextInput
          miw={160}
          label={t('tools.import.version')}
          placeholder={t('tools.import.version.newest')}
          autoComplete="off"
          spellCheck={false}
          value={draft.version}
          onChange={(event) => onChange({ version: event.currentTarget.value })}
        />
      </Group>
      <Group grow align="flex-start" preventGrowOverflow={false}>
        <TagsInput
          miw={220}
          label={t('tools.import.args')}
          description={t('tools.import.args.about')}
          allowDuplicates
          value={draft.args}
          onChange={(args) => onChange({ args })}
        />
        <TextInput
          miw={160}
          label={t('tools.import.program')}
          description={t('tools.import.program.about')}
          autoComplete="off"
          spellCheck={false}
          value={draft.program}
          onChange={(event) => onChange({ program: event.currentTarget.value })}
        />
      </Group>
    </>
  );
}

function RemoteFields({ draft, onChange }: PartProps) {
  const { t } = useTranslation();
  return (
    <>
      <TextInput
        label={t('tools.import.url')}
        description={t('tools.import.url.about')}
        placeholder="https://mcp.example.com/mcp"
        type="url"
        required
        autoComplete="off"
        spellCheck={false}
        value={draft.address}
        onChange={(event) => onChange({ address: event.currentTarget.value })}
      />
      <Switch
        label={t('tools.import.private')}
        description={t('tools.import.private.about')}
        checked={draft.allowPrivate}
        onChange={(event) => onChange({ allowPrivate: event.currentTarget.checked })}
      />
    </>
  );
}
