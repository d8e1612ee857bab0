// Whether a model would run here: one word on its card, and behind it how that was found out.
import { Badge, Button, Popover, Stack, Text, UnstyledButton } from '@mantine/core';
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleX,
  IconHelpCircle,
  IconHourglass,
  type IconProps,
} from '@tabler/icons-react';
import { type ComponentType, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { bytes, number } from '../../lib/format';
import { type Discovered, type Fit, useJudged } from './api/discover';

const LOOKS: Readonly<Record<Fit['verdict'], { color: string; icon: ComponentType<IconProps> }>> = {
  good: { color: 'teal', icon: IconCircleCheck },
  slow: { color: 'blue', icon: IconHourglass },
  tight: { color: 'orange', icon: IconAlertTriangle },
  no: { color: 'red', icon: IconCircleX },
  unknown: { color: 'gray', icon: IconHelpCircle },
};

/** @param visible  whether the card is in sight: only then is a header worth its bytes */
export function FitBadge({ model, visible }: { model: Discovered; visible: boolean }) {
  const { t } = useTranslation();
  const [asked, setAsked] = useState(false);
  const readable = model.provider === 'huggingface' && model.runtime === 'llama-cpp' && !model.gated;
  // By itself only where the estimate is no answer.
  const judged = useJudged(model, readable && model.fit.basis === 'listing' && (asked || (visible && model.fit.close)));
  const fit = judged.data && judged.data.reason !== 'unreadable' ? judged.data : model.fit;
  const { color, icon: Icon } = LOOKS[fit.verdict];
  const word = fit.reason ? t(`discover.place.${fit.reason}`) : t(`discover.place.${fit.verdict}`);
  const estimate = fit.basis === 'listing' && fit.verdict !== 'unknown';
  return (
    <Popover width={300} position="bottom-start" withinPortal trapFocus>
      <Popover.Target>
        <UnstyledButton
          className="fit-badge"
          data-fit={fit.verdict}
          data-basis={fit.basis}
          aria-label={[
            t('discover.place.of', { name: model.model_name }),
            word,
            estimate ? t('discover.place.estimate') : '',
          ]
            .filter(Boolean)
            .join(', ')}
        >
          <Badge
            color={color}
            variant="light"
            tt="none"
            leftSection={<Icon size={13} aria-hidden />}
            style={{ cursor: 'inherit' }}
          >
            {estimate ? `≈ ${word}` : word}
          </Badge>
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap={6}>
          <Text size="sm" fw={600}>
            {word}
          </Text>
          <FitFigures fit={fit} />
          {estimate && (
            <Text size="xs" className="muted">
              {t('discover.place.estimated', { of: fit.of ?? model.display_name })}
            </Text>
          )}
          {judged.data?.reason === 'unreadable' && (
            <Text size="xs" className="muted" role="status">
              {t('discover.place.unread')}
            </Text>
          )}
          {readable && fit.basis === 'listing' && (
            <Button
              size="compact-xs"
              variant="default"
              loading={judged.isFetching}
              onClick={() => {
                setAsked(true);
                if (judged.isFetched) void judged.again();
              }}
            >
              {t('discover.place.read')}
            </Button>
          )}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}

function FitFigures({ fit }: { fit: Fit }) {
  const { t, i18n } = useTranslation();
  const size = (value: number) => bytes(value, i18n.language);
  if (fit.verdict === 'unknown')
    return <Text size="sm">{t(`discover.place.why.${fit.reason ?? 'size_unknown'}`)}</Text>;
  return (
    <>
      <Text size="sm">{t(`discover.place.about.${fit.verdict}`)}</Text>
      {fit.total_bytes !== null && (
        <Text size="sm">
          {t('discover.place.needs', { size: size(fit.total_bytes), free: size(fit.available_bytes) })}
        </Text>
      )}
      {fit.context_length !== null && (
        <Text size="sm">
          {t('discover.place.context', { context: number(fit.context_length, i18n.language, 0) })}
          {fit.of && fit.basis === 'header' && ` · ${fit.of}`}
        </Text>
      )}
      {fit.tokens_per_second !== null && (
        <Text size="sm">{t('chat.speed', { value: number(fit.tokens_per_second, i18n.language, 1) })}</Text>
      )}
    </>
  );
}
