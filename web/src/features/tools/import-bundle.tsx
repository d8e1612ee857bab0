// A bundle as the source of an import: a file chosen or dropped, what it says it is, and what it asks a person for.
import { Alert, Badge, Button, FileButton, Group, PasswordInput, Stack, Text } from '@mantine/core';
import { IconPackage, IconUpload } from '@tabler/icons-react';
import { type DragEvent, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { bytes } from '../../lib/format';
import { visibleText } from '../../lib/visible-text';
import { useDoctor } from './api/get-servers';
import { type Bundle, useSecretNames, useUploadBundle } from './api/imports';
import { fieldsOf, type ImportDraft, secretOf, withBundle } from './import-draft';
import { SchemaFields } from './schema-fields';
import { toInput } from './schema-form';

interface BundleProps {
  draft: ImportDraft;
  onChange: (part: Partial<ImportDraft>) => void;
}

export function BundleFields({ draft, onChange }: BundleProps) {
  return (
    <Stack gap="sm">
      <BundleFile onBundle={(bundle) => onChange(bundle ? withBundle(bundle) : { bundle: null })} />
      {draft.bundle && (
        <>
          <AboutBundle bundle={draft.bundle} />
          <Answers draft={draft} bundle={draft.bundle} onChange={onChange} />
        </>
      )}
    </Stack>
  );
}

function BundleFile({ onBundle }: { onBundle: (bundle: Bundle | null) => void }) {
  const { t, i18n } = useTranslation();
  const doctor = useDoctor();
  const upload = useUploadBundle();
  const stop = useRef<AbortController>(null);
  const [over, setOver] = useState(false);
  const [tooLarge, setTooLarge] = useState<File | null>(null);
  useEffect(() => () => stop.current?.abort(), []);
  const most = doctor.data?.bundle_bytes_max;
  const take = (file: File | null | undefined) => {
    if (!file) return;
    stop.current?.abort();
    upload.reset();
    onBundle(null);
    const fits = most === undefined || file.size <= most;
    setTooLarge(fits ? null : file);
    if (!fits) return;
    stop.current = new AbortController();
    upload.mutate({ file, signal: stop.current.signal }, { onSuccess: onBundle });
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files[0]);
  };
  const problem = tooLarge
    ? t('tools.bundle.tooLarge', {
        name: visibleText(tooLarge.name),
        size: bytes(tooLarge.size, i18n.language),
        most: bytes(most ?? 0, i18n.language),
      })
    : upload.isError && upload.error.name !== 'AbortError'
      ? upload.error.message
      : null;
  return (
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: for a mouse that drops; the button does the same */}
      <div
        className="drop-place"
        data-over={over}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <IconPackage size={28} stroke={1.4} aria-hidden />
        <Text size="sm" ta="center">
          {t('tools.bundle.drop')}
        </Text>
        <Group gap="xs">
          <FileButton accept=".mcpb,.dxt" onChange={take} inputProps={{ 'aria-label': t('tools.bundle.choose') }}>
            {(props) => (
              <Button
                {...props}
                variant="default"
                leftSection={<IconUpload size={15} aria-hidden />}
                loading={upload.isPending}
              >
                {t('tools.bundle.choose')}
              </Button>
            )}
          </FileButton>
          {upload.isPending && (
            <Button variant="subtle" onClick={() => stop.current?.abort()}>
              {t('action.cancel')}
            </Button>
          )}
        </Group>
        <Text size="xs" className="muted" ta="center">
          {most === undefined ? '.mcpb, .dxt' : t('tools.bundle.limit', { most: bytes(most, i18n.language) })}
        </Text>
      </div>
      {problem && (
        <Alert color="red" variant="light" role="alert" style={{ overflowWrap: 'anywhere' }}>
          {problem}
        </Alert>
      )}
    </>
  );
}

function AboutBundle({ bundle: { manifest, size_bytes: size } }: { bundle: Bundle }) {
  const { t, i18n } = useTranslation();
  return (
    <section className="grant-row" role="status" aria-label={t('tools.source.bundle')}>
      <Group gap={8}>
        <Text fw={600} style={{ overflowWrap: 'anywhere' }}>
          {visibleText(manifest.title)}
        </Text>
        <Badge size="sm" variant="default" tt="none">
          {visibleText(manifest.version)}
        </Badge>
        <Text size="xs" className="muted">
          {[manifest.author, manifest.license, manifest.type, bytes(size, i18n.language)]
            .flatMap((each) => (each ? [visibleText(each)] : []))
            .join(' · ')}
        </Text>
      </Group>
      <Text size="sm" mt={4} lineClamp={4} style={{ overflowWrap: 'anywhere' }}>
        {visibleText(manifest.description)}
      </Text>
    </section>
  );
}

function Answers({ draft, bundle, onChange }: BundleProps & { bundle: Bundle }) {
  const { t } = useTranslation();
  const { data: names = [] } = useSecretNames();
  const fields = fieldsOf(bundle);
  const { problems } = toInput(fields, draft.answers);
  // What is missing is marked as required already; only what cannot be right is worth a word while somebody types.
  const wrong = Object.fromEntries(Object.entries(problems).filter(([, problem]) => problem === 'invalid'));
  const sensitive = bundle.manifest.user_config.filter((each) => each.sensitive);
  return (
    <>
      <SchemaFields
        fields={fields}
        values={draft.answers}
        problems={wrong}
        onChange={(answers) => onChange({ answers })}
      />
      {sensitive.map(({ name, title, description, required }) => {
        const kept = names.includes(secretOf(draft, name));
        return (
          <PasswordInput
            key={name}
            label={visibleText(title)}
            description={visibleText(description)}
            withAsterisk={required}
            placeholder={kept ? t('tools.secret.kept') : ''}
            autoComplete="new-password"
            visibilityToggleButtonProps={{ 'aria-label': t('tools.secret.show') }}
            value={draft.sensitive[name] ?? ''}
            onChange={(event) => onChange({ sensitive: { ...draft.sensitive, [name]: event.currentTarget.value } })}
          />
        );
      })}
    </>
  );
}
