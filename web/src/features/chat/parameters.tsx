// How answers are made: what the assistant is told in this conversation, and generation parameters, which are kept in this
// browser, sent with every question, and absent where the default shall hold.
import { Button, Divider, Drawer, NumberInput, Stack, Text } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

const RANGES = {
  temperature: { min: 0, max: 2, step: 0.1, decimalScale: 2 },
  top_p: { min: 0.01, max: 1, step: 0.05, decimalScale: 2 },
  top_k: { min: 0, max: 1_000, step: 1, decimalScale: 0 },
  repeat_penalty: { min: 0, max: 10, step: 0.05, decimalScale: 2 },
  max_tokens: { min: 1, max: 100_000, step: 64, decimalScale: 0 },
  seed: { min: 0, max: 2_147_483_647, step: 1, decimalScale: 0 },
} as const;

export type Parameters = Partial<Record<keyof typeof RANGES, number>>;

export const useParameters = () => useLocalStorage<Parameters>({ key: 'venom.parameters', defaultValue: {} });

export function ParametersDrawer({
  opened,
  onClose,
  value,
  onChange,
  children,
}: {
  opened: boolean;
  onClose: () => void;
  value: Parameters;
  onChange: (value: Parameters) => void;
  /** Above the parameters. */
  children: ReactNode;
}) {
  const { t } = useTranslation();
  return (
    <Drawer
      opened={opened}
      onClose={onClose}
      position="right"
      size="sm"
      title={t('chat.settings')}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <Stack>
        {children}
        <Divider />
        <Text size="sm" fw={600}>
          {t('chat.parameters')}
        </Text>
        {Object.entries(RANGES).map(([name, range]) => (
          <NumberInput
            key={name}
            label={t(`param.${name}`)}
            placeholder={t('chat.parameters.default')}
            value={value[name as keyof Parameters] ?? ''}
            clampBehavior="strict"
            onChange={(next) => {
              const { [name as keyof Parameters]: _former, ...rest } = value;
              onChange(typeof next === 'number' ? { ...rest, [name]: next } : rest);
            }}
            {...range}
          />
        ))}
        <Button variant="default" onClick={() => onChange({})}>
          {t('chat.parameters.reset')}
        </Button>
      </Stack>
    </Drawer>
  );
}
