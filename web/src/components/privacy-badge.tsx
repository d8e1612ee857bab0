// Where an answer's words went, from its receipt: nowhere, or to which cloud, how much, and what was hidden first.
import { Badge, Tooltip } from '@mantine/core';
import { IconCloud, IconHome } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { bytes } from '../lib/format';
import type { Receipt } from '../lib/requests';

export function PrivacyBadge({ receipt }: { receipt: Receipt }) {
  const { t, i18n } = useTranslation();
  if (receipt.attempts.length === 0) return null;
  const clouds = receipt.attempts.filter(({ location }) => location === 'cloud');
  const masked = receipt.masked.reduce((sum, { count }) => sum + count, 0);
  const sent = clouds.reduce((sum, attempt) => sum + attempt.bytes_sent, 0);
  const providers = [...new Set(clouds.map(({ provider }) => provider))].join(', ');
  const label =
    clouds.length === 0
      ? [t('privacy.badge.local'), ...(receipt.decision?.findings ?? [])].join(' · ')
      : [
          t('privacy.badge.cloud', { provider: providers, size: bytes(sent, i18n.language) }),
          masked > 0 ? t('privacy.badge.masked', { value: masked }) : null,
        ]
          .filter(Boolean)
          .join(' · ');
  return (
    <Tooltip label={receipt.decision?.reason} disabled={!receipt.decision?.reason} multiline maw={320}>
      <Badge
        variant="light"
        color={clouds.length === 0 ? 'teal' : 'blue'}
        size="sm"
        tt="none"
        className="privacy-badge"
        leftSection={clouds.length === 0 ? <IconHome size={12} aria-hidden /> : <IconCloud size={12} aria-hidden />}
      >
        {label}
      </Badge>
    </Tooltip>
  );
}
