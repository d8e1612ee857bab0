// One small button under a message.
import { ActionIcon, Tooltip } from '@mantine/core';
import type { ComponentProps, ReactNode } from 'react';

export function MessageAction({
  label,
  onClick,
  pressed,
  children,
  ...rest
}: Omit<ComponentProps<'button'>, 'color' | 'onClick'> & {
  label: string;
  onClick?: () => void;
  /** For a button that stays down. */
  pressed?: boolean;
  children: ReactNode;
}) {
  return (
    <Tooltip label={label} openDelay={400}>
      <ActionIcon
        {...rest}
        variant={pressed ? 'light' : 'subtle'}
        color="gray"
        size="md"
        aria-label={label}
        aria-pressed={pressed}
        onClick={onClick}
      >
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
