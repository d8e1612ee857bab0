// Tries a tool: a form from its schema or JSON, the call, and what came back.
import { Alert, Badge, Button, Group, SegmentedControl, Stack, Text, Textarea } from '@mantine/core';
import { IconInfoCircle, IconPlayerPlay, IconPlayerStop } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CodeBlock } from '../../components/code-block';
import { duration } from '../../lib/format';
import { visibleText } from '../../lib/visible-text';
import type { CallResult, CallTool } from './api/call-tool';
import { SchemaFields } from './schema-fields';
import { formOf, initialValues, type Problems, type Schema, toInput, toValues, type Values } from './schema-form';

export function TryTool({ tool, schema, call }: { tool: string; schema: Schema; call: CallTool }) {
  const { t } = useTranslation();
  const fields = useMemo(() => formOf(schema), [schema]);
  const [asJson, setAsJson] = useState(fields === null);
  const [values, setValues] = useState<Values>(() => initialValues(fields ?? []));
  const [json, setJson] = useState('{}');
  const [problems, setProblems] = useState<Problems>({});
  const [misfit, setMisfit] = useState<'json' | 'form' | null>(null);
  const queries = useQueryClient();
  const stop = useRef<AbortController>(null);
  const run = useMutation({
    mutationFn: (input: Record<string, unknown>) => {
      stop.current = new AbortController();
      return call(input, stop.current.signal);
    },
    // Its figures have changed: time, calls, perhaps its state.
    onSettled: () => queries.invalidateQueries({ queryKey: ['mcp', 'servers'] }),
  });
  // Whoever closes the panel does not wait for the answer any more.
  useEffect(() => () => stop.current?.abort(), []);

  const submit = () => {
    setMisfit(null);
    if (asJson) {
      const input = parsedObject(json);
      if (input) run.mutate(input);
      else setMisfit('json');
      return;
    }
    const filled = toInput(fields ?? [], values);
    setProblems(filled.problems);
    if (Object.keys(filled.problems).length === 0) run.mutate(filled.input);
  };
  const change = (to: string) => {
    setMisfit(null);
    if (to === 'json') {
      setJson(JSON.stringify(toInput(fields ?? [], values).input, null, 2));
      setAsJson(true);
      return;
    }
    const input = parsedObject(json);
    const back = input && toValues(fields ?? [], input);
    if (!back) return setMisfit(input ? 'form' : 'json');
    setValues(back);
    setProblems({});
    setAsJson(false);
  };

  return (
    <form
      aria-label={t('tools.try.title', { tool })}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Stack gap="sm">
        <Group justify="space-between">
          <Text size="sm" fw={600}>
            {t('tools.try')}
          </Text>
          {fields !== null && (
            <SegmentedControl
              size="xs"
              aria-label={t('tools.try.as')}
              value={asJson ? 'json' : 'form'}
              data={[
                { value: 'form', label: t('tools.try.form') },
                { value: 'json', label: 'JSON' },
              ]}
              onChange={change}
            />
          )}
        </Group>
        {asJson ? (
          <Textarea
            aria-label={t('tools.try.input')}
            autosize
            minRows={4}
            maxRows={18}
            spellCheck={false}
            styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 13 } }}
            value={json}
            onChange={(event) => setJson(event.currentTarget.value)}
          />
        ) : fields?.length === 0 ? (
          <Text size="sm" className="muted">
            {t('tools.try.nothing')}
          </Text>
        ) : (
          <SchemaFields fields={fields ?? []} values={values} problems={problems} onChange={setValues} />
        )}
        {misfit && (
          <Text size="sm" c="var(--mantine-color-red-light-color)" role="alert">
            {t(`tools.try.misfit.${misfit}`)}
          </Text>
        )}
        <Group gap="xs">
          <Button
            type="submit"
            size="xs"
            loading={run.isPending}
            leftSection={<IconPlayerPlay size={14} aria-hidden />}
          >
            {t('tools.try.run')}
          </Button>
          {run.isPending && (
            <Button
              size="xs"
              variant="default"
              leftSection={<IconPlayerStop size={14} aria-hidden />}
              onClick={() => stop.current?.abort()}
            >
              {t('chat.stop')}
            </Button>
          )}
        </Group>
        {run.isError && (
          <Alert color="red" variant="light" role="alert">
            {run.error.name === 'AbortError' ? t('tools.try.stopped') : run.error.message}
          </Alert>
        )}
        {run.data && <Result result={run.data} />}
      </Stack>
    </form>
  );
}

function Result({ result }: { result: CallResult }) {
  const { t, i18n } = useTranslation();
  const { failed, text, structured, code, untrusted, durationMs } = result;
  return (
    <Stack gap="xs" role="status" aria-label={t('tools.try.result')}>
      <Group gap={6}>
        <Badge variant="light" size="sm" tt="none" color={failed ? 'red' : 'teal'}>
          {t(failed ? 'tools.try.failed' : 'tools.try.done')}
        </Badge>
        {code && (
          <Badge variant="default" size="sm" tt="none">
            {code}
          </Badge>
        )}
        <Text size="xs" className="muted figure">
          {duration(durationMs, i18n.language)}
        </Text>
      </Group>
      {text !== '' && <CodeBlock {...readable(visibleText(text))} />}
      {structured !== null && structured !== undefined && (
        <>
          <Text size="xs" className="muted">
            {t('tools.try.structured')}
          </Text>
          <CodeBlock code={visibleText(JSON.stringify(structured, null, 2))} language="json" />
        </>
      )}
      {untrusted && (
        <Group gap={6} wrap="nowrap" className="muted">
          <IconInfoCircle size={14} aria-hidden style={{ flex: 'none' }} />
          <Text size="xs">{t('tools.try.untrusted')}</Text>
        </Group>
      )}
    </Stack>
  );
}

function parsedObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

const PRETTY_CHARS_MAX = 100_000;

/** JSON in lines, anything else as it is. */
function readable(text: string): { code: string; language: string } {
  if (/^\s*[[{]/.test(text) && text.length <= PRETTY_CHARS_MAX)
    try {
      return { code: JSON.stringify(JSON.parse(text), null, 2), language: 'json' };
    } catch {
      // It only begins like JSON.
    }
  return { code: text, language: '' };
}
