// The fields of a form that was made from a JSON Schema.
import { Fieldset, NumberInput, Select, Stack, Switch, TagsInput, Textarea, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { visibleText } from '../../lib/visible-text';
import type { NamedField, Problems, Values } from './schema-form';

interface FieldsProps {
  fields: readonly NamedField[];
  values: Values;
  /** By the path of the field; shown only once somebody tried. */
  problems: Problems;
  path?: string;
  onChange: (values: Values) => void;
}

export function SchemaFields({ fields, values, problems, path = '', onChange }: FieldsProps) {
  return (
    <Stack gap="sm">
      {fields.map((each) => (
        <SchemaField
          key={each.name}
          named={each}
          value={values[each.name]}
          problems={problems}
          path={path + each.name}
          onChange={(value) => onChange({ ...values, [each.name]: value })}
        />
      ))}
    </Stack>
  );
}

function SchemaField({
  named: { title, description, required, field },
  value,
  problems,
  path,
  onChange,
}: {
  named: NamedField;
  value: unknown;
  problems: Problems;
  path: string;
  onChange: (value: unknown) => void;
}) {
  const { t } = useTranslation();
  const problem = problems[path];
  const shared = {
    label: visibleText(title),
    description: description ? visibleText(description).slice(0, 1_000) : undefined,
    withAsterisk: required,
    error: problem && t(`tools.try.${problem}`),
  };
  switch (field.kind) {
    case 'text': {
      const props = { ...shared, value: String(value ?? ''), autoComplete: 'off', spellCheck: false };
      return field.multiline ? (
        <Textarea
          {...props}
          autosize
          minRows={2}
          maxRows={10}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      ) : (
        <TextInput {...props} onChange={(event) => onChange(event.currentTarget.value)} />
      );
    }
    case 'number':
      return (
        <NumberInput
          {...shared}
          value={typeof value === 'number' || typeof value === 'string' ? value : ''}
          allowDecimal={!field.integer}
          {...(field.min === undefined ? {} : { min: field.min })}
          {...(field.max === undefined ? {} : { max: field.max })}
          clampBehavior="none"
          onChange={onChange}
        />
      );
    case 'boolean':
      return (
        <Switch
          label={shared.label}
          description={shared.description}
          error={shared.error}
          checked={value === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      );
    case 'choice':
      return (
        <Select
          {...shared}
          value={typeof value === 'string' ? value : null}
          clearable={!required}
          data={field.options.map((option, index) => ({
            value: String(index),
            label: typeof option === 'string' ? visibleText(option) : JSON.stringify(option),
          }))}
          onChange={onChange}
        />
      );
    case 'list':
      return (
        <TagsInput
          {...shared}
          value={Array.isArray(value) ? (value as string[]) : []}
          placeholder={t('tools.try.list')}
          allowDuplicates
          onChange={onChange}
        />
      );
    case 'group':
      return (
        <Fieldset legend={shared.label} variant="default" style={{ borderColor: 'var(--venom-border)' }}>
          <SchemaFields
            fields={field.fields}
            values={(value ?? {}) as Values}
            problems={problems}
            path={`${path}.`}
            onChange={onChange}
          />
        </Fieldset>
      );
    default:
      return (
        <Textarea
          {...shared}
          description={[shared.description, t('tools.try.asJson')].filter(Boolean).join(' ')}
          autosize
          minRows={2}
          maxRows={12}
          spellCheck={false}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 13 } }}
          value={String(value ?? '')}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
  }
}
