// A request to be filled in: the line of curl it comes to, and, when it is sent, what the server says.
import { Alert, Badge, Button, Group, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { IconPlayerPlay, IconPlayerStop } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CodeBlock } from '../../components/code-block';
import { apiKey } from '../../lib/api-key';
import { duration } from '../../lib/format';
import type { ApiOperation } from './api/api-document';
import { type TriedAnswer, tryOperation } from './api/try-operation';
import { curlLine, type Filled, filledRequest, placesOf } from './filled-request';
import { exampleOf, type Schemas } from './schema';

const SUCCESS = 300;

export function TryOperationForm({ operation, schemas }: { operation: ApiOperation; schemas: Schemas }) {
  const { t } = useTranslation();
  const schema = operation.requestBody?.content?.['application/json']?.schema;
  const [filled, setFilled] = useState<Filled>({});
  const [body, setBody] = useState(() => (schema ? JSON.stringify(exampleOf(schema, schemas), null, 2) : undefined));
  const [answer, setAnswer] = useState<TriedAnswer>();
  const stop = useRef<AbortController>(null);
  const request = filledRequest(operation, filled, body?.trim() ? body : undefined);
  const places = placesOf(operation);
  const missing = places.some(({ place, name, required }) => required && !filled[`${place} ${name}`]);
  const run = useMutation({
    mutationFn: () => {
      stop.current = new AbortController();
      setAnswer(undefined);
      return tryOperation(request, setAnswer, stop.current.signal);
    },
  });
  // Whoever closes the panel does not wait for the answer any more.
  useEffect(() => () => stop.current?.abort(), []);
  return (
    <form
      aria-label={t('reference.try.title', { operation: operation.title })}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!missing) run.mutate();
      }}
    >
      <Stack gap="sm">
        {places.map(({ place, name, required }) => (
          <TextInput
            key={`${place} ${name}`}
            size="xs"
            label={name === '*' ? t('reference.rest') : name}
            description={t(`reference.in.${place}`)}
            required={required}
            value={filled[`${place} ${name}`] ?? ''}
            onChange={(event) => setFilled({ ...filled, [`${place} ${name}`]: event.currentTarget.value })}
          />
        ))}
        {body !== undefined && (
          <Textarea
            label={t('reference.body')}
            autosize
            minRows={3}
            maxRows={18}
            spellCheck={false}
            styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 13 } }}
            value={body}
            onChange={(event) => setBody(event.currentTarget.value)}
          />
        )}
        <CodeBlock code={curlLine(request, window.location.origin, apiKey() !== '')} language="bash" />
        <Group gap="xs">
          <Button
            type="submit"
            size="xs"
            disabled={missing}
            loading={run.isPending}
            leftSection={<IconPlayerPlay size={14} aria-hidden />}
          >
            {t('reference.send')}
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
          {missing && (
            <Text size="xs" className="muted">
              {t('reference.missing')}
            </Text>
          )}
          {operation.method !== 'GET' && !missing && (
            <Text size="xs" className="muted">
              {t('reference.real')}
            </Text>
          )}
        </Group>
        {run.isError && run.error.name !== 'AbortError' && (
          <Alert color="red" variant="light" role="alert">
            {run.error.message}
          </Alert>
        )}
        {answer && <Answer answer={answer} ended={!run.isPending} />}
      </Stack>
    </form>
  );
}

function Answer({ answer: { status, type, text, cut, durationMs }, ended }: { answer: TriedAnswer; ended: boolean }) {
  const { t, i18n } = useTranslation();
  return (
    <Stack gap="xs" role="status" aria-label={t('reference.answer')} aria-busy={!ended}>
      <Group gap={6}>
        <Badge variant="light" size="sm" color={status < SUCCESS ? 'teal' : 'red'}>
          {status}
        </Badge>
        <Text size="xs" className="muted figure">
          {[type, duration(durationMs, i18n.language), cut ? t('reference.cut') : ''].filter(Boolean).join(' · ')}
        </Text>
      </Group>
      {text !== '' && <CodeBlock code={ended ? pretty(text) : text} language={/json/.test(type) ? 'json' : ''} />}
    </Stack>
  );
}

/** JSON in lines; what is cut, streamed or no JSON as it came. */
function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
