// What a trial found, question by question.
import { Badge, Table, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

const COLORS: Record<string, string> = { verified: 'teal', failed: 'red' };

export function ProbeResults({
  results,
}: {
  results: readonly { name: string; status: string; score?: number | null; reason?: string | null | undefined }[];
}) {
  const { t } = useTranslation();
  return (
    <Table>
      <Table.Tbody>
        {results.map((result) => (
          <Table.Tr key={result.name}>
            <Table.Td>{t(`details.probe.${result.name}`, { defaultValue: result.name })}</Table.Td>
            <Table.Td>
              <Badge
                size="sm"
                variant="dot"
                tt="none"
                color={(result.score !== null && COLORS[result.status]) || 'gray'}
              >
                {t(`details.status.${result.status}`, { defaultValue: result.status })}
              </Badge>
              {result.reason && (
                <Text size="xs" className="muted">
                  {t(`details.reason.${result.reason}`, { defaultValue: result.reason })}
                </Text>
              )}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
