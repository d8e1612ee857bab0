// The head of every page but the chat: its name, a line about it, and perhaps one thing to do.
import { Group, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { usePageTitle } from '../lib/page-title';

export function PageHeader({ title, lead, children }: { title: string; lead: string; children?: ReactNode }) {
  usePageTitle(title);
  return (
    <Group justify="space-between" align="flex-end" mb="lg">
      <div>
        <Title order={1} size="h2">
          {title}
        </Title>
        <Text className="muted" size="sm">
          {lead}
        </Text>
      </div>
      {children}
    </Group>
  );
}
