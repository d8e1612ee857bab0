// A configuration of another program, pasted: each of its servers becomes a plan that waits, none is started.
import { Alert, Button, FileButton, Group, Stack, Switch, Text, Textarea } from '@mantine/core';
import { IconUpload } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { AnchorLink } from '../../components/links';
import { useImportConfig } from './api/imports';

const EXAMPLE = `{
  "mcpServers": {
    "memory": {
      "command": "npx",
      "args": ["-y", "@modelcontextprotocol/server-memory"]
    }
  }
}`;
const FILE_BYTES_MAX = 1_000_000;

export function PasteConfig() {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const [problem, setProblem] = useState(false);
  const [network, setNetwork] = useState(false);
  const [writeNamed, setWriteNamed] = useState(false);
  const [keepSecrets, setKeepSecrets] = useState(true);
  const read = useImportConfig();
  const submit = () => {
    // What it says is read by the server, comments and all.
    const fits = /^[^{[]*\{/.test(text);
    setProblem(!fits);
    if (fits) read.mutate({ config: text, network, write_named: writeNamed, keep_secrets: keepSecrets });
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Stack gap="md">
        <section className="panel" style={{ padding: 16 }} aria-label={t('tools.source.config')}>
          <Textarea
            label={t('tools.paste')}
            description={t('tools.paste.about')}
            placeholder={EXAMPLE}
            autosize
            minRows={9}
            maxRows={24}
            spellCheck={false}
            error={problem && t('tools.paste.broken')}
            styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 13 } }}
            value={text}
            onChange={(event) => {
              setText(event.currentTarget.value);
              setProblem(false);
            }}
          />
          <Group mt="sm">
            <FileButton
              accept=".json,application/json"
              onChange={(file) => file && file.size <= FILE_BYTES_MAX && void file.text().then(setText)}
            >
              {(props) => (
                <Button {...props} size="xs" variant="default" leftSection={<IconUpload size={14} aria-hidden />}>
                  {t('tools.paste.file')}
                </Button>
              )}
            </FileButton>
          </Group>
          <Stack gap="xs" mt="md">
            <Switch
              label={t('tools.paste.secrets')}
              description={t('tools.paste.secrets.about')}
              checked={keepSecrets}
              onChange={(event) => setKeepSecrets(event.currentTarget.checked)}
            />
            <Switch
              label={t('tools.paste.network')}
              description={t('tools.paste.network.about')}
              checked={network}
              onChange={(event) => setNetwork(event.currentTarget.checked)}
            />
            <Switch
              label={t('tools.paste.write')}
              description={t('tools.paste.write.about')}
              checked={writeNamed}
              onChange={(event) => setWriteNamed(event.currentTarget.checked)}
            />
          </Stack>
        </section>
        {read.isError && (
          <Alert color="red" variant="light" role="alert">
            {read.error.message}
          </Alert>
        )}
        {read.data && <WhatWasRead read={read.data} />}
        <Group justify="flex-end">
          <Button type="submit" disabled={text.trim() === ''} loading={read.isPending}>
            {t('tools.paste.read')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function WhatWasRead({ read }: { read: NonNullable<ReturnType<typeof useImportConfig>['data']> }) {
  const { t } = useTranslation();
  return (
    <Stack gap="xs" role="status">
      {read.operations.length > 0 && (
        <Alert color="teal" variant="light" title={t('tools.paste.done', { value: read.operations.length })}>
          <Text size="sm" mb={4}>
            {t('tools.paste.done.about')}
          </Text>
          <ul className="plain-list">
            {read.operations.map(({ operation_id: id, model_name: name }) => (
              <li key={id}>
                <AnchorLink to="/tools/imports/$operationId" params={{ operationId: id }} size="sm" fw={600}>
                  {name}
                </AnchorLink>
              </li>
            ))}
          </ul>
        </Alert>
      )}
      {read.skipped.length > 0 && (
        <Alert color="orange" variant="light" title={t('tools.paste.skipped', { value: read.skipped.length })}>
          <ul className="plain-list">
            {read.skipped.map(({ name, reason }) => (
              <li key={name}>
                <Text size="sm">
                  <b>{name}</b>: {reason}
                </Text>
              </li>
            ))}
          </ul>
        </Alert>
      )}
    </Stack>
  );
}
