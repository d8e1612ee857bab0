// One operation: what it takes, what it answers, and a form to try it.
import { Code, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { ApiOperation } from './api/api-document';
import { limitsOf, type Schemas, typeName } from './schema';
import { SchemaTree } from './schema-tree';
import { TryOperationForm } from './try-operation-form';

export function OperationDetails({ operation, schemas }: { operation: ApiOperation; schemas: Schemas }) {
  const { t } = useTranslation();
  const { description, parameters, requestBody, responses } = operation;
  const [[type, body] = []] = Object.entries(requestBody?.content ?? {});
  return (
    <Stack gap="lg">
      {description && <Text size="sm">{description}</Text>}
      {parameters.length > 0 && (
        <Part title={t('reference.parameters')}>
          <ul className="schema">
            {parameters.map(({ name, in: place, required, schema, description: meaning }) => (
              <li key={`${place} ${name}`}>
                <Code>{name}</Code>{' '}
                <Text span size="xs" className="muted" style={{ overflowWrap: 'anywhere' }}>
                  {[
                    t(`reference.in.${place}`, { defaultValue: place }),
                    typeName(schema, schemas),
                    ...limitsOf(schema, schemas),
                  ].join(' · ')}
                  {meaning && ` – ${meaning}`}{' '}
                </Text>
                {required && (
                  <Text span size="xs" c="var(--mantine-color-orange-light-color)">
                    {t('reference.required')}
                  </Text>
                )}
              </li>
            ))}
          </ul>
        </Part>
      )}
      {body?.schema && (
        <Part title={`${t('reference.body')} (${type})`}>
          <SchemaTree schema={body.schema} schemas={schemas} />
        </Part>
      )}
      <Part title={t('reference.answers')}>
        {Object.entries(responses).map(([status, { description: meaning, content }]) => {
          const schema = Object.values(content ?? {})[0]?.schema;
          const head = (
            <>
              <Code>{status}</Code>{' '}
              <Text span size="sm">
                {t(`reference.answer.${meaning}`, { defaultValue: meaning })}
              </Text>
            </>
          );
          return schema ? (
            <details key={status} className="schema-answer">
              <summary>{head}</summary>
              <SchemaTree schema={schema} schemas={schemas} />
            </details>
          ) : (
            <div key={status} className="schema-answer">
              {head}
            </div>
          );
        })}
      </Part>
      <Part title={t('reference.try')}>
        {requestBody && !requestBody.content?.['application/json'] ? (
          <Text size="sm" className="muted">
            {t('reference.try.files', { type: type ?? '' })}
          </Text>
        ) : (
          <TryOperationForm operation={operation} schemas={schemas} />
        )}
      </Part>
    </Stack>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <Title order={4} size="h6" mb={6}>
        {title}
      </Title>
      {children}
    </section>
  );
}
