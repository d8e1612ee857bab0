// Always, ask or never: who decides whether a tool is called.
import { SegmentedControl, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Permission } from './api/get-servers';

const PERMISSIONS: readonly Permission[] = ['always', 'ask', 'never'];

export function PermissionChoice({
  tool,
  value,
  note,
  disabled = false,
  onChange,
}: {
  tool: string;
  value: Permission;
  /** Where the value comes from. */
  note?: string | undefined;
  disabled?: boolean;
  onChange: (permission: Permission) => void;
}) {
  const { t } = useTranslation();
  return (
    <div>
      <SegmentedControl
        size="xs"
        aria-label={t('tools.permission.of', { tool })}
        disabled={disabled}
        value={value}
        data={PERMISSIONS.map((permission) => ({ value: permission, label: t(`tools.permission.${permission}`) }))}
        onChange={(permission) => onChange(permission as Permission)}
      />
      <Text size="xs" className="muted" mt={4}>
        {note ?? t(`tools.permission.${value}.about`)}
      </Text>
    </div>
  );
}
