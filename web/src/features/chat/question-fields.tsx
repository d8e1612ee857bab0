// The fields of a question, and what was filled in as an answer.
import { Checkbox, Group, NativeSelect, NumberInput, Stack, Switch, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { visibleText } from '../../lib/visible-text';
import type { QuestionField } from './api/questions';

/** By the names of fields; undefined where nobody has touched one. */
export type Filled = Readonly<Record<string, unknown>>;

export const initialValues = (fields: readonly QuestionField[]): Filled =>
  Object.fromEntries(fields.flatMap(({ name, initial }) => (initial === null ? [] : [[name, initial]])));

/** What was left empty is no part of the answer. */
export function contentOf(fields: readonly QuestionField[], filled: Filled): Record<string, unknown> {
  const content = fields.flatMap(({ name, type, format, required }): [string, unknown][] => {
    const value = filled[name];
    if (type === 'boolean') return value === undefined && !required ? [] : [[name, value === true]];
    if (type === 'choices') return value === undefined && !required ? [] : [[name, value ?? []]];
    if (value === undefined || value === '') return [];
    if (format === 'date-time') {
      const time = new Date(String(value));
      return [[name, Number.isNaN(time.getTime()) ? value : time.toISOString()]];
    }
    return [[name, value]];
  });
  return Object.fromEntries(content);
}

export function QuestionFields({
  fields,
  filled,
  problems,
  onChange,
}: {
  fields: readonly QuestionField[];
  filled: Filled;
  problems: Readonly<Record<string, string>>;
  onChange: (filled: Filled) => void;
}) {
  return (
    <Stack gap="sm">
      {fields.map((field) => (
        <OneField
          key={field.name}
          field={field}
          value={filled[field.name]}
          problem={problems[field.name]}
          onChange={(value) => onChange({ ...filled, [field.name]: value })}
        />
      ))}
    </Stack>
  );
}

const INPUT_TYPES = { email: 'email', uri: 'url', date: 'date', 'date-time': 'datetime-local' } as const;

function OneField({
  field,
  value,
  problem,
  onChange,
}: {
  field: QuestionField;
  value: unknown;
  problem: string | undefined;
  onChange: (value: unknown) => void;
}) {
  const { t } = useTranslation();
  const shared = {
    label: visibleText(field.title),
    description: field.description ? visibleText(field.description) : undefined,
    error: problem && t(`question.problem.${problem}`, t('question.problem.type')),
    withAsterisk: field.required,
  };
  switch (field.type) {
    case 'boolean': {
      const { withAsterisk: _, ...rest } = shared;
      return <Switch {...rest} checked={value === true} onChange={(event) => onChange(event.currentTarget.checked)} />;
    }
    case 'number':
    case 'integer':
      return (
        <NumberInput
          {...shared}
          value={typeof value === 'number' ? value : ''}
          allowDecimal={field.type === 'number'}
          {...(field.minimum === null ? {} : { min: field.minimum })}
          {...(field.maximum === null ? {} : { max: field.maximum })}
          clampBehavior="none"
          onChange={onChange}
        />
      );
    case 'choice':
      return (
        <NativeSelect
          {...shared}
          value={typeof value === 'string' ? value : ''}
          onChange={(event) => onChange(event.currentTarget.value)}
        >
          <option value="">{t('question.choose')}</option>
          {field.options.map((option) => (
            <option key={option.value} value={option.value}>
              {visibleText(option.title)}
            </option>
          ))}
        </NativeSelect>
      );
    case 'choices':
      return (
        <Checkbox.Group {...shared} value={Array.isArray(value) ? (value as string[]) : []} onChange={onChange}>
          <Group gap="md" mt={4}>
            {field.options.map((option) => (
              <Checkbox key={option.value} value={option.value} label={visibleText(option.title)} />
            ))}
          </Group>
        </Checkbox.Group>
      );
    default:
      return (
        <TextInput
          {...shared}
          type={field.format === null ? 'text' : INPUT_TYPES[field.format]}
          value={typeof value === 'string' ? value : ''}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
  }
}
