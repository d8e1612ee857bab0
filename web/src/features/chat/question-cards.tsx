// What a tool asks the person while it works, in its own words: a form to fill in, or a page that only the person opens.
import { Alert, Button, Code, Group, Stack, Text } from '@mantine/core';
import { IconExternalLink, IconMessageQuestion } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { visibleText } from '../../lib/visible-text';
import { fieldProblems, type Question, useAnswer, useQuestions } from './api/questions';
import { contentOf, initialValues, QuestionFields } from './question-fields';

const ACCEPT = { form: 'question.accept', link: 'question.opened', model: 'question.allow' } as const;

export function QuestionCards({ sessionId }: { sessionId: string }) {
  const { data = [] } = useQuestions(sessionId);
  return (
    <Stack gap="sm">
      {data.toReversed().map((question) => (
        <QuestionCard key={question.question_id} question={question} />
      ))}
    </Stack>
  );
}

function QuestionCard({ question }: { question: Question }) {
  const { t } = useTranslation();
  const answer = useAnswer();
  const [filled, setFilled] = useState(() => initialValues(question.fields));
  const form = useRef<HTMLFormElement>(null);
  const problems = fieldProblems(answer.error);
  const who = visibleText(question.server ?? question.title);
  const send = (action: 'accept' | 'decline' | 'cancel') =>
    answer.mutate({
      id: question.question_id,
      action,
      ...(action === 'accept' && question.kind === 'form' ? { content: contentOf(question.fields, filled) } : {}),
    });
  useEffect(() => {
    if (problems) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [problems]);

  return (
    <Alert
      icon={<IconMessageQuestion size={18} aria-hidden />}
      variant="outline"
      color="blue"
      styles={{ label: { color: 'var(--mantine-color-text)' } }}
      title={t('question.title', { who })}
      role="group"
      aria-label={t('question.title', { who })}
    >
      <form
        ref={form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          send('accept');
        }}
      >
        <Stack gap="xs">
          <Text size="xs" style={{ overflowWrap: 'anywhere' }}>
            {question.server !== null && `${t('approval.server', { server: who })} · `}
            <Code>{question.tool}</Code>
          </Text>
          <Text size="xs">{t('question.words')}</Text>
          {/* A region that scrolls must be reachable by keyboard. */}
          <Text size="sm" className="approval-text question-words" tabIndex={0}>
            {visibleText(question.message)}
          </Text>
          {question.kind === 'model' && <ToModel question={question} />}
          {question.asks_secret && <Caution text={t('question.secret')} />}
          {question.url !== null && <Page question={question} url={question.url} />}
          <QuestionFields fields={question.fields} filled={filled} problems={problems ?? {}} onChange={setFilled} />
          {answer.isError && (
            <Text size="sm" c="var(--mantine-color-red-light-color)" role="alert">
              {problems ? t('question.problems') : answer.error.message}
            </Text>
          )}
          <Group gap="xs">
            <Button type="submit" size="xs" disabled={answer.isPending}>
              {t(ACCEPT[question.kind])}
            </Button>
            {(['decline', 'cancel'] as const).map((action) => (
              <Button key={action} size="xs" variant="default" disabled={answer.isPending} onClick={() => send(action)}>
                {t(`question.${action}`)}
              </Button>
            ))}
          </Group>
        </Stack>
      </form>
    </Alert>
  );
}

/** The host in plain sight, the address in full; nothing is fetched before the person follows it. */
function Page({ question, url }: { question: Question; url: string }) {
  const { t } = useTranslation();
  const host = question.host ?? '';
  return (
    <Stack gap={4}>
      <Text size="sm">
        {t('question.page')} <strong>{host}</strong>
      </Text>
      <Code block style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
        {visibleText(url)}
      </Code>
      {question.host_is_deceptive && <Caution text={t('question.deceptive')} />}
      <Group>
        <Button
          component="a"
          href={url}
          target="_blank"
          rel="noopener noreferrer"
          size="xs"
          variant="default"
          leftSection={<IconExternalLink size={14} aria-hidden />}
        >
          {t('question.open', { host })}
        </Button>
      </Group>
    </Stack>
  );
}

/** What would be asked in the person's house, and for whom. */
function ToModel({ question }: { question: Question }) {
  const { t } = useTranslation();
  return (
    <>
      {question.system && (
        <Text size="sm" className="approval-text question-words" tabIndex={0}>
          {t('question.system')} {visibleText(question.system)}
        </Text>
      )}
      <Text size="sm">{t('question.model', { value: question.max_tokens })}</Text>
    </>
  );
}

const Caution = ({ text }: { text: string }) => (
  <Text size="sm" fw={600} c="var(--mantine-color-red-light-color)">
    {text}
  </Text>
);
