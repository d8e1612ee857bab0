// What a tool would be called with, as a person reads it: names and values, nothing hidden in them, long ones in full.
import { Code, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { visibleText } from '../../lib/visible-text';
import type { Approval } from './api/approvals';

export function ApprovalArguments({ approval }: { approval: Approval }) {
  const { t } = useTranslation();
  const given = Object.entries(approval.arguments);
  if (given.length === 0)
    return (
      <Text size="sm" className="muted">
        {t('approval.noArguments')}
      </Text>
    );
  return (
    // A region that scrolls must be reachable by keyboard.
    <dl className="approval-arguments" tabIndex={0}>
      {given.map(([name, value]) => (
        <div key={name}>
          <Text component="dt" size="xs" fw={600}>
            {visibleText(approval.argument_titles[name] ?? name)}
          </Text>
          <dd>
            <Value value={value} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Value({ value }: { value: unknown }) {
  const { t } = useTranslation();
  if (typeof value === 'boolean') return <Text size="sm">{t(value ? 'approval.yes' : 'approval.no')}</Text>;
  if (typeof value === 'number') return <Text size="sm">{String(value)}</Text>;
  if (typeof value === 'string')
    return (
      <Text size="sm" className="approval-text">
        {value === '' ? '–' : visibleText(value)}
      </Text>
    );
  return (
    <Code block style={{ whiteSpace: 'pre-wrap' }}>
      {visibleText(JSON.stringify(value, null, 2) ?? '–')}
    </Code>
  );
}
