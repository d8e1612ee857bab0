// One request from the inside: where its time went, what was decided, what was really sent and to whom.
import { Badge, Button, Code, Drawer, Group, ScrollArea, Stack, Table, Tabs, Text, Tooltip } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { bytes, duration, moment, number } from '../lib/format';
import { type RequestDetail, type RequestStep, useFlowDiagram, useRequestDetail } from '../lib/requests';
import { CopyText } from './copy-text';
import { PrivacyBadge } from './privacy-badge';
import { RecalledList } from './recalled-list';
import { Empty, Failed, Loading } from './states';

export function RequestInspector({ requestId, onClose }: { requestId: string | null; onClose: () => void }) {
  const { t } = useTranslation();
  const detail = useRequestDetail(requestId);
  return (
    <Drawer
      opened={requestId !== null}
      onClose={onClose}
      position="right"
      size="lg"
      title={t('inspector.title')}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {detail.isPending && <Loading />}
      {detail.isError && <Failed error={detail.error} onRetry={() => void detail.refetch()} />}
      {detail.data && <Inspected detail={detail.data} />}
    </Drawer>
  );
}

function Inspected({ detail }: { detail: RequestDetail }) {
  const { t, i18n } = useTranslation();
  const facts = [
    [t('inspector.status'), t(`queue.status.${detail.status}`, { defaultValue: detail.status })],
    [t('chat.model'), [detail.llm_model, detail.llm_provider].filter(Boolean).join(' · ') || '–'],
    [t('inspector.begun'), moment(detail.created_at, i18n.language)],
    [
      t('inspector.duration'),
      detail.duration_seconds === null ? '–' : duration(detail.duration_seconds * 1_000, i18n.language),
    ],
    [t('inspector.first'), detail.first_token === null ? '–' : duration(detail.first_token.elapsed_ms, i18n.language)],
  ];
  return (
    <Stack>
      <Table variant="vertical" layout="fixed" withRowBorders={false}>
        <Table.Tbody>
          {facts.map(([name, value]) => (
            <Table.Tr key={name}>
              <Table.Th w={140}>{name}</Table.Th>
              <Table.Td style={{ overflowWrap: 'anywhere' }}>{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {detail.error_message && (
        <Text size="sm" c="var(--mantine-color-red-light-color)">
          {detail.error_message}
        </Text>
      )}
      <Tabs defaultValue="steps" keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="steps">{t('inspector.steps')}</Tabs.Tab>
          <Tabs.Tab value="context">{t('inspector.context')}</Tabs.Tab>
          <Tabs.Tab value="routing">{t('inspector.routing')}</Tabs.Tab>
          <Tabs.Tab value="flow">{t('inspector.flow')}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="steps" pt="sm">
          <Waterfall detail={detail} />
        </Tabs.Panel>
        <Tabs.Panel value="context" pt="sm">
          <ContextSent detail={detail} />
        </Tabs.Panel>
        <Tabs.Panel value="routing" pt="sm">
          <Route detail={detail} />
        </Tabs.Panel>
        <Tabs.Panel value="flow" pt="sm">
          <Flow requestId={detail.request_id} />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}

/** A step lasts until the next one begins; the last until the request ended. */
function Waterfall({ detail }: { detail: RequestDetail }) {
  const { t, i18n } = useTranslation();
  if (detail.steps.length === 0) return <Empty>{t('inspector.empty')}</Empty>;
  const from = Date.parse(detail.created_at);
  const to = Math.max(
    Date.parse(detail.finished_at ?? '') || 0,
    ...detail.steps.map(({ timestamp }) => Date.parse(timestamp)),
  );
  const whole = Math.max(1, to - from);
  const at = (step: RequestStep | undefined) => (step ? Math.max(0, Date.parse(step.timestamp) - from) : whole);
  return (
    <ol className="waterfall">
      {detail.steps.map((step, index) => {
        const begins = at(step);
        const lasts = Math.max(0, at(detail.steps[index + 1]) - begins);
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: steps are only ever appended, and two may be alike
          <li key={index} data-status={step.status}>
            <Group gap={6} wrap="nowrap" justify="space-between">
              <Text size="xs" truncate>
                <span className="muted">{step.component}.</span>
                {step.action}
              </Text>
              <Text size="xs" className="muted figure" style={{ whiteSpace: 'nowrap' }}>
                {duration(begins, i18n.language)}
              </Text>
            </Group>
            <Tooltip label={duration(lasts, i18n.language)} openDelay={300}>
              <div className="waterfall-track">
                <div
                  className="waterfall-bar"
                  style={{
                    marginLeft: `${(begins / whole) * 100}%`,
                    width: `max(3px, ${Math.min(100, (lasts / whole) * 100)}%)`,
                  }}
                />
              </div>
            </Tooltip>
            {step.details && (
              <Text size="xs" className="muted waterfall-details" title={step.details}>
                {step.details}
              </Text>
            )}
          </li>
        );
      })}
    </ol>
  );
}

function ContextSent({ detail }: { detail: RequestDetail }) {
  const { t } = useTranslation();
  const preview = detail.context_preview?.prompt_context_preview;
  return (
    <Stack gap="sm">
      <Text size="xs" className="muted">
        {detail.context_preview?.prompt_context_truncated ? t('inspector.context.cut') : t('inspector.context.lead')}
      </Text>
      {preview ? (
        <ScrollArea.Autosize mah={360} viewportProps={{ tabIndex: 0 }}>
          <Code block style={{ whiteSpace: 'pre-wrap' }}>
            {preview}
          </Code>
        </ScrollArea.Autosize>
      ) : (
        <Empty>{t('inspector.context.none')}</Empty>
      )}
      {detail.context && (
        <>
          <Text size="xs" fw={600}>
            {t('inspector.used', {
              memory: t('inspector.used.memory', { count: detail.context.memories.length }),
              lessons: t('inspector.used.lessons', { count: detail.context.lessons.length }),
            })}
          </Text>
          <RecalledList context={detail.context} />
        </>
      )}
      {detail.ran_with && <Ran ran={detail.ran_with} />}
    </Stack>
  );
}

function Ran({ ran }: { ran: NonNullable<RequestDetail['ran_with']> }) {
  const { t } = useTranslation();
  return (
    <section aria-label={t('chat.ranWith')}>
      <Text size="xs" fw={600}>
        {t('chat.ranWith.on', { engine: ran.runtime, model: ran.model })}
      </Text>
      {Object.keys(ran.sent).length === 0 ? (
        <Text size="xs" className="muted">
          {t('chat.ranWith.nothing')}
        </Text>
      ) : (
        <Code block>{JSON.stringify(ran.sent, null, 2)}</Code>
      )}
      {ran.clamped.map(({ name, from, to }) => (
        <Text key={name} size="xs">
          {t('chat.ranWith.clamped', { name, from, to })}
        </Text>
      ))}
      {ran.dropped.length > 0 && (
        <Text size="xs">
          {t('chat.ranWith.dropped', { engine: ran.runtime })} {ran.dropped.join(', ')}
        </Text>
      )}
      {ran.unknown.length > 0 && (
        <Text size="xs">
          {t('chat.ranWith.unknown')} {ran.unknown.join(', ')}
        </Text>
      )}
    </section>
  );
}

function Flow({ requestId }: { requestId: string }) {
  const { t } = useTranslation();
  const flow = useFlowDiagram(requestId);
  if (flow.isPending) return <Loading />;
  if (flow.isError) return <Failed error={flow.error} onRetry={() => void flow.refetch()} />;
  return (
    <Stack gap="sm">
      <Group justify="space-between" wrap="nowrap">
        <Text size="xs" className="muted">
          {t('inspector.flow.lead')}
        </Text>
        <CopyText value={flow.data}>
          {({ copied, copy }) => (
            <Button size="compact-sm" variant="default" onClick={copy} style={{ flexShrink: 0 }}>
              {copied ? t('chat.copied') : t('chat.copy')}
            </Button>
          )}
        </CopyText>
      </Group>
      <ScrollArea.Autosize mah={460} viewportProps={{ tabIndex: 0 }}>
        <Code block>{flow.data}</Code>
      </ScrollArea.Autosize>
    </Stack>
  );
}

function Route({ detail }: { detail: RequestDetail }) {
  const { t, i18n } = useTranslation();
  const decision = detail.routing_decision;
  const attempts = detail.receipt?.attempts ?? [];
  return (
    <Stack gap="sm">
      {detail.receipt && (
        <div>
          <PrivacyBadge receipt={detail.receipt} />
        </div>
      )}
      {decision ? (
        <>
          <Group gap={6}>
            {decision.reason_code && (
              <Badge variant="light" tt="none">
                {decision.reason_code}
              </Badge>
            )}
            {decision.is_sensitive && (
              <Badge color="orange" variant="light" tt="none">
                {t('privacy.sensitive')}
              </Badge>
            )}
          </Group>
          <Text size="sm">
            {detail.receipt?.decision?.reason ??
              decision.reason ??
              [decision.provider, decision.model].filter(Boolean).join(' · ')}
          </Text>
          <Text size="xs" className="muted">
            {[
              typeof decision.complexity_score === 'number'
                ? t('routing.complexity', { value: decision.complexity_score })
                : null,
              detail.receipt?.decision?.findings.join(', '),
              typeof decision.decision_latency_ms === 'number'
                ? t('inspector.decided', { value: duration(decision.decision_latency_ms, i18n.language) })
                : null,
            ]
              .filter(Boolean)
              .join(' · ')}
          </Text>
          {(decision.fallback_chain?.length ?? 0) > 0 && (
            <Text size="xs" className="muted">
              {t('inspector.chain', { chain: decision.fallback_chain?.join(' → ') })}
            </Text>
          )}
        </>
      ) : (
        attempts.length === 0 && <Empty>{t('inspector.routing.none')}</Empty>
      )}
      {attempts.length > 0 && (
        <Table aria-label={t('inspector.receipt')}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('inspector.endpoint')}</Table.Th>
              <Table.Th>{t('inspector.sent')}</Table.Th>
              <Table.Th>{t('inspector.received')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {attempts.map((attempt, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: attempts have an order and nothing else of their own
              <Table.Tr key={index}>
                <Table.Td style={{ overflowWrap: 'anywhere' }}>
                  {t(`privacy.${attempt.location}`)} · {attempt.provider} · {attempt.model}
                  <Text size="xs" className="muted">
                    {[attempt.endpoint, t(`inspector.outcome.${attempt.outcome}`, { defaultValue: attempt.outcome })]
                      .filter(Boolean)
                      .join(' · ')}
                  </Text>
                  {attempt.error && (
                    <Text size="xs" c="var(--mantine-color-red-light-color)">
                      {attempt.error}
                    </Text>
                  )}
                </Table.Td>
                <Table.Td>{bytes(attempt.bytes_sent, i18n.language)}</Table.Td>
                <Table.Td>{bytes(attempt.bytes_received, i18n.language)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      {(detail.receipt?.masked ?? []).map(({ kind, count }) => (
        <Text key={kind} size="xs">
          {t('inspector.masked', { kind, times: count })}
        </Text>
      ))}
      {typeof detail.receipt?.cost_usd === 'number' && (
        <Text size="xs" className="muted">
          {t('inspector.cost', { value: number(detail.receipt.cost_usd, i18n.language, 4) })}
        </Text>
      )}
    </Stack>
  );
}
