// The plan of an import, in full: what is run and may be reached, and a yes that is bound to exactly this.
import { Alert, Badge, Button, Code, Group, PasswordInput, Stack, Table, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconFingerprint, IconTerminal2, IconWorld, IconWorldOff } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { moment } from '../../lib/format';
import { visibleText } from '../../lib/visible-text';
import { type McpPlan, useApprovePlan, useDiscardPlan, useSecretNames, useStoreSecret } from './api/imports';
import { TierBadge } from './badges';

const SHOWN_DEPENDENCIES = 40;

export function PlanView({ plan }: { plan: McpPlan }) {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const approve = useApprovePlan();
  const discard = useDiscardPlan();
  const names = useSecretNames();
  const missing = plan.missing_secrets.filter((name) => !names.data?.includes(name));
  return (
    <Stack gap="md">
      {plan.warnings.length > 0 && (
        <Alert
          color="orange"
          variant="light"
          icon={<IconAlertTriangle size={18} aria-hidden />}
          title={t('tools.plan.warnings')}
        >
          <ul className="plain-list">
            {plan.warnings.map((warning) => (
              <li key={warning}>
                <Text size="sm">{visibleText(warning)}</Text>
              </li>
            ))}
          </ul>
        </Alert>
      )}
      <Source plan={plan} />
      <Commands plan={plan} />
      <Rights plan={plan} />
      {plan.missing_config.length > 0 && (
        <Alert
          color="orange"
          variant="light"
          title={t('tools.plan.unanswered', { names: plan.missing_config.map(visibleText).join(', ') })}
        >
          {t('tools.plan.unanswered.about')}
        </Alert>
      )}
      {plan.missing_secrets.length > 0 && <MissingSecrets missing={missing} />}
      <section className="panel approve-bar" aria-label={t('tools.plan.agree')}>
        <Group gap={8} wrap="nowrap" className="muted" style={{ minWidth: 0 }}>
          <IconFingerprint size={18} aria-hidden style={{ flex: 'none' }} />
          <Text size="xs" style={{ overflowWrap: 'anywhere' }}>
            {t('tools.plan.hash')} <Code>{plan.hash.slice(0, 16)}…</Code>{' '}
            {t('tools.plan.expires', { time: moment(plan.expires_at, i18n.language) })}
          </Text>
        </Group>
        {approve.isError && (
          <Text size="sm" c="var(--mantine-color-red-light-color)" role="alert">
            {approve.error.message}
          </Text>
        )}
        <Group gap="xs" justify="flex-end">
          <Button
            variant="default"
            loading={discard.isPending}
            // A callback of `mutate` is not called once this view is gone, and it goes when the plan does.
            onClick={() =>
              void discard.mutateAsync(plan.plan_id).then(
                () => navigate({ to: '/tools' }),
                () => undefined,
              )
            }
          >
            {t('tools.plan.discard')}
          </Button>
          <Button
            disabled={missing.length > 0 || plan.missing_config.length > 0}
            loading={approve.isPending}
            onClick={() =>
              approve.mutate(plan, {
                onSuccess: ({ operation_id: id }) =>
                  void navigate({ to: '/tools/imports/$operationId', params: { operationId: id } }),
              })
            }
          >
            {t(`tools.plan.approve.${plan.kind}`)}
          </Button>
        </Group>
      </section>
    </Stack>
  );
}

function Panel({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="panel" style={{ padding: 16 }} aria-label={title}>
      <Title order={2} size="h5" mb="xs">
        {title}
      </Title>
      {children}
    </section>
  );
}

function Source({ plan }: { plan: McpPlan }) {
  const { t } = useTranslation();
  const dependencies = plan.dependencies;
  return (
    <Panel title={t('tools.plan.source')}>
      <Rows
        label={t('tools.plan.source')}
        rows={[
          [t('tools.origin.kind'), t(`tools.source.${plan.source.kind}`, { defaultValue: plan.source.kind })],
          [t('tools.origin.location'), <Code key="location">{visibleText(plan.source.location)}</Code>],
          [
            t('tools.origin.version'),
            plan.source.version ? <Code key="version">{plan.source.version}</Code> : t('tools.origin.unpinned'),
          ],
          ...(plan.signature
            ? ([[t('tools.plan.signature'), <Signature key="signature" signature={plan.signature} />]] as [
                string,
                ReactNode,
              ][])
            : []),
          ...(plan.lock || dependencies.length > 0
            ? ([
                [
                  t('tools.plan.lock'),
                  plan.lock ? (
                    <span key="lock">
                      <Code>{plan.lock.file}</Code> {t('tools.plan.lock.exactly', { value: plan.lock.packages })}
                    </span>
                  ) : (
                    t('tools.plan.lock.none')
                  ),
                ],
              ] as [string, ReactNode][])
            : []),
          ...(dependencies.length > 0
            ? ([
                [
                  t('tools.plan.dependencies', { value: dependencies.length }),
                  <details key="dependencies" className="schema-details" open={dependencies.length <= 6}>
                    <summary>
                      {visibleText(dependencies.slice(0, 3).join(', '))}
                      {dependencies.length > 3 ? ' …' : ''}
                    </summary>
                    <Text size="xs" ff="monospace" mt={4} style={{ overflowWrap: 'anywhere' }}>
                      {visibleText(dependencies.slice(0, SHOWN_DEPENDENCIES).join('\n'))
                        .split('\n')
                        .map((line) => (
                          <span key={line} style={{ display: 'block' }}>
                            {line}
                          </span>
                        ))}
                      {dependencies.length > SHOWN_DEPENDENCIES && '…'}
                    </Text>
                  </details>,
                ],
              ] as [string, ReactNode][])
            : []),
        ]}
      />
    </Panel>
  );
}

/** A name that nobody vouches for is shown as what its maker wrote, and no more. */
function Signature({ signature: { state, reason, signer } }: { signature: NonNullable<McpPlan['signature']> }) {
  const { t } = useTranslation();
  return (
    <Stack gap={2}>
      <Badge
        variant="light"
        color={state === 'signed' ? 'green' : state === 'not_verified' ? 'orange' : 'gray'}
        style={{ alignSelf: 'flex-start' }}
      >
        {t(`tools.plan.signature.${state}`)}
      </Badge>
      {signer && (
        <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
          {t(state === 'signed' ? 'tools.plan.signature.by' : 'tools.plan.signature.says', {
            subject: visibleText(signer.subject),
            issuer: visibleText(signer.issuer),
          })}
        </Text>
      )}
      {reason && (
        <Text size="xs" c="dimmed">
          {t(`tools.plan.signature.${reason}`)}
        </Text>
      )}
    </Stack>
  );
}

function Commands({ plan }: { plan: McpPlan }) {
  const { t } = useTranslation();
  if (plan.launch.kind === 'http')
    return (
      <Panel title={t('tools.plan.reached')}>
        <Command text={plan.launch.url} />
      </Panel>
    );
  return (
    <Panel title={t('tools.plan.commands')}>
      <Stack gap="sm" component="ol" m={0} p={0} style={{ listStyle: 'none' }}>
        {plan.build.map(({ title, command, network }) => (
          <li key={`${title} ${command.join(' ')}`}>
            <Group gap={6} mb={4}>
              <Text size="sm" fw={500}>
                {title}
              </Text>
              <NetworkBadge network={network} />
            </Group>
            <Command text={command.join(' ')} />
          </li>
        ))}
        <li>
          <Group gap={6} mb={4}>
            <Text size="sm" fw={500}>
              {t('tools.plan.start')}
            </Text>
            <NetworkBadge network={plan.permissions.network} />
          </Group>
          <Command text={[plan.launch.command, ...plan.launch.args].join(' ')} />
        </li>
      </Stack>
      <Text size="xs" className="muted" mt="sm">
        {t('tools.plan.places')}
      </Text>
    </Panel>
  );
}

function Command({ text }: { text: string }) {
  return (
    // A region that scrolls must be reachable by keyboard.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
    <pre className="command" tabIndex={0}>
      <IconTerminal2 size={14} aria-hidden />
      <code>{visibleText(text)}</code>
    </pre>
  );
}

function NetworkBadge({ network }: { network: boolean }) {
  const { t } = useTranslation();
  const Icon = network ? IconWorld : IconWorldOff;
  return (
    <Badge
      size="xs"
      variant="light"
      color={network ? 'orange' : 'teal'}
      tt="none"
      leftSection={<Icon size={11} aria-hidden />}
    >
      {t(network ? 'tools.plan.network' : 'tools.plan.offline')}
    </Badge>
  );
}

function Rights({ plan: { permissions, launch, user_config: settings } }: { plan: McpPlan }) {
  const { t } = useTranslation();
  const list = (values: readonly string[], key: string) =>
    values.length === 0 ? (
      t('tools.plan.nothing')
    ) : (
      <Stack key={key} gap={2}>
        {values.map((value) => (
          <Code key={value} style={{ overflowWrap: 'anywhere' }}>
            {visibleText(value)}
          </Code>
        ))}
      </Stack>
    );
  const remote = launch.kind === 'http';
  const rows: [string, ReactNode][] = [
    [t('tools.plan.isolation'), <TierBadge key="tier" tier={remote ? 'remote' : (permissions.isolation ?? 'plain')} />],
    ...(remote
      ? ([[t('tools.plan.privateNetwork'), t(permissions.private_network ? 'routing.yes' : 'routing.no')]] as [
          string,
          ReactNode,
        ][])
      : ([
          [t('tools.grants.network'), <NetworkBadge key="network" network={permissions.network} />],
          [t('tools.grants.readable'), list(permissions.readable, 'readable')],
          [t('tools.grants.writable'), list(permissions.writable, 'writable')],
          [t('tools.grants.variables'), list(permissions.environment, 'environment')],
        ] as [string, ReactNode][])),
    [
      t('tools.grants.secrets'),
      list(
        Object.entries(permissions.secrets).map(([variable, secret]) => `${variable} ← ${secret}`),
        'secrets',
      ),
    ],
    ...(settings.length > 0
      ? ([
          [
            t('tools.plan.answers'),
            list(
              settings.flatMap(({ title, value, secret }) =>
                value === null && secret === null
                  ? []
                  : [`${title}: ${secret === null ? [value].flat().join(', ') : `← ${secret}`}`],
              ),
              'answers',
            ),
          ],
        ] as [string, ReactNode][])
      : []),
    [t('tools.trusted'), t(permissions.trusted ? 'tools.plan.trusted' : 'tools.plan.untrusted')],
  ];
  return (
    <Panel title={t('tools.plan.rights')}>
      <Rows label={t('tools.plan.rights')} rows={rows} />
    </Panel>
  );
}

function Rows({ label, rows }: { label: string; rows: readonly [string, ReactNode][] }) {
  return (
    <Table verticalSpacing={6} horizontalSpacing="xs" className="rows" aria-label={label}>
      <Table.Tbody>
        {rows.map(([name, value]) => (
          <Table.Tr key={name}>
            <Table.Th scope="row" fw={500}>
              {name}
            </Table.Th>
            <Table.Td style={{ overflowWrap: 'anywhere' }}>{value}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function MissingSecrets({ missing }: { missing: readonly string[] }) {
  const { t } = useTranslation();
  return (
    <Panel title={t('tools.plan.missing')}>
      <Text size="sm" className="muted" mb="sm">
        {t(missing.length === 0 ? 'tools.plan.missing.none' : 'tools.plan.missing.about')}
      </Text>
      <Stack gap="sm">
        {missing.map((name) => (
          <MissingSecret key={name} name={name} />
        ))}
      </Stack>
    </Panel>
  );
}

function MissingSecret({ name }: { name: string }) {
  const { t } = useTranslation();
  const [value, setValue] = useState('');
  const store = useStoreSecret();
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        store.mutate({ name, value });
      }}
    >
      <Group align="flex-end" gap="xs">
        <PasswordInput
          flex={1}
          miw={200}
          label={name}
          autoComplete="new-password"
          visibilityToggleButtonProps={{ 'aria-label': t('tools.secret.show') }}
          value={value}
          onChange={(event) => setValue(event.currentTarget.value)}
        />
        <Button type="submit" variant="default" disabled={value === ''} loading={store.isPending}>
          {t('tools.secret.store')}
        </Button>
      </Group>
    </form>
  );
}
