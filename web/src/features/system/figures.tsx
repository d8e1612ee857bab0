// Figures with a name above and a note below, in as many columns as fit.
import { SimpleGrid, Text } from '@mantine/core';

export interface Fact {
  label: string;
  value: string;
  note?: string;
}

export function Figures({ facts }: { facts: readonly Fact[] }) {
  return (
    <SimpleGrid cols={{ base: 2, md: 4 }} spacing="md">
      {facts.map(({ label, value, note }) => (
        <div key={label} className="panel" style={{ padding: '14px 18px' }}>
          <Text size="xs" className="muted">
            {label}
          </Text>
          <Text fw={600} size="lg" className="figure">
            {value}
          </Text>
          <Text size="xs" className="muted" style={{ overflowWrap: 'anywhere' }}>
            {note}
          </Text>
        </div>
      ))}
    </SimpleGrid>
  );
}
