// The members of a schema with their types and bounds; what has members itself opens on demand.
import { Code, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Schema } from './api/api-document';
import { alternatives, limitsOf, propertiesOf, resolved, type Schemas, typeName } from './schema';

const DEPTH_MAX = 8;

export function SchemaTree({ schema, schemas, depth = 0 }: { schema: Schema; schemas: Schemas; depth?: number }) {
  const { t } = useTranslation();
  const found = inner(schema, schemas);
  if (!found || depth > DEPTH_MAX) {
    return depth === 0 ? <TypeLine schema={schema} schemas={schemas} /> : null;
  }
  return (
    <ul className="schema">
      {propertiesOf(found).map(({ name, schema: member, required }) => (
        <li key={name}>
          <Code>{name}</Code> <TypeLine schema={member} schemas={schemas} />
          {required && (
            <Text span size="xs" c="var(--mantine-color-orange-light-color)">
              {t('reference.required')}
            </Text>
          )}
          {inner(member, schemas) && (
            <details>
              <summary>{t('reference.members', { name })}</summary>
              <SchemaTree schema={inner(member, schemas) ?? {}} schemas={schemas} depth={depth + 1} />
            </details>
          )}
        </li>
      ))}
    </ul>
  );
}

function TypeLine({ schema, schemas }: { schema: Schema; schemas: Schemas }) {
  const described = resolved(schema, schemas).schema['description'];
  return (
    <Text span size="xs" className="muted" style={{ overflowWrap: 'anywhere' }}>
      {[typeName(schema, schemas), ...limitsOf(schema, schemas)].join(' · ')}
      {typeof described === 'string' && ` – ${described}`}{' '}
    </Text>
  );
}

/** What of a schema has members: itself, the items of a list, or the one alternative that has some. */
function inner(given: Schema, schemas: Schemas, depth = 0): Schema | undefined {
  const { schema } = resolved(given, schemas);
  if (propertiesOf(schema).length > 0) return schema;
  if (depth > DEPTH_MAX) return undefined;
  const items = schema['items'];
  if (typeof items === 'object' && items !== null && !Array.isArray(items))
    return inner(items as Schema, schemas, depth + 1);
  return alternatives(schema)
    .map((choice) => inner(choice, schemas, depth + 1))
    .find(Boolean);
}
