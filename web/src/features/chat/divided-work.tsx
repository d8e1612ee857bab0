// Work that is divided, while it is done: the steps of a plan, the statements of a council, the goals of a campaign. Each with
// its state and the text that is being written, and what all of it may spend.
import { Badge, Group, Loader, Text } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconCircleDashed, IconPlayerSkipForward } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { number } from '../../lib/format';
import type { Budget, Campaign, Council, DividedWork, PlanStep } from './answer-streams';

type Texts = Readonly<Record<number, string>>;
type Status = PlanStep['status'];

export function Divided({ work, parts }: { work: DividedWork; parts: Texts }) {
  const { t } = useTranslation();
  const { plan, planSource, council, campaign, noCouncil } = work;
  return (
    <>
      {council && <CouncilView council={council} parts={parts} />}
      {campaign && <CampaignView campaign={campaign} parts={parts} />}
      {plan && <PlanView plan={plan} parts={parts} />}
      {plan && noCouncil && (
        <Text size="xs" className="muted" mt={4}>
          {t(`council.not.${noCouncil}`)}
        </Text>
      )}
      {plan && (planSource === 'words' || planSource === 'whole') && (
        <Text size="xs" className="muted" mt={4}>
          {t(`plan.source.${planSource}`)}
        </Text>
      )}
    </>
  );
}

function PlanView({ plan, parts }: { plan: readonly PlanStep[]; parts: Texts }) {
  const { t } = useTranslation();
  const rows = plan.map((step) => ({
    step: step.step,
    status: step.status,
    title: step.instruction,
    note: [
      `${step.step} · ${step.agent.toLowerCase()}`,
      step.depends_on.length > 0 ? t('plan.after', { steps: step.depends_on.join(', ') }) : null,
    ],
    text: parts[step.step] ?? step.preview,
  }));
  return <Rows label={t('plan.title')} rows={rows} />;
}

function CouncilView({ council, parts }: { council: Council; parts: Texts }) {
  const { t } = useTranslation();
  const { statements, stopped, budget, rounds_limit } = council;
  const rows = statements.map(({ step, round, member, status, agrees }) => ({
    step,
    status,
    title: t(`council.member.${member}`, { defaultValue: member }),
    note: [
      t('council.round', { round, of: rounds_limit }),
      agrees === null ? null : t(agrees ? 'council.agrees' : 'council.objects'),
    ],
    text: parts[step],
  }));
  return (
    <>
      <Head title={t('council.title')} ended={stopped && t(`council.stopped.${stopped}`)} budget={budget} />
      <Rows label={t('council.title')} rows={rows} />
    </>
  );
}

const GOAL_STATUS = {
  PENDING: 'waiting',
  IN_PROGRESS: 'running',
  COMPLETED: 'done',
  FAILED: 'failed',
} as const satisfies Record<Campaign['goals'][number]['status'], Status>;

function CampaignView({ campaign, parts }: { campaign: Campaign; parts: Texts }) {
  const { t } = useTranslation();
  const { goals, paused, stopped, budget } = campaign;
  const rows = goals.map(({ step, goal, status }) => ({
    step,
    status: GOAL_STATUS[status],
    title: goal,
    note: [t('campaign.goal', { number: step, of: goals.length })],
    text: parts[step],
  }));
  const ended = paused ? t('campaign.paused') : stopped && t(`campaign.stopped.${stopped}`);
  return (
    <>
      <Head title={t('campaign.title')} ended={ended} budget={budget} />
      <Rows label={t('campaign.title')} rows={rows} />
    </>
  );
}

function Head({ title, ended, budget }: { title: string; ended: string | undefined; budget: Budget }) {
  const { t, i18n } = useTranslation();
  const whole = (value: number) => number(value, i18n.language, 0);
  return (
    <Group gap={8} mt={10}>
      <Text size="sm" fw={600}>
        {title}
      </Text>
      {ended && (
        <Badge size="sm" variant="light" tt="none">
          {ended}
        </Badge>
      )}
      <Text size="xs" className="muted figure">
        {t('work.budget', { used: whole(budget.tokens_used), limit: whole(budget.tokens_limit) })}
        {budget.cost_usd > 0 &&
          ` · ${number(budget.cost_usd, i18n.language, 4)} / ${number(budget.cost_limit_usd, i18n.language, 2)} USD`}
      </Text>
    </Group>
  );
}

const ICONS = {
  waiting: <IconCircleDashed size={16} aria-hidden />,
  running: <Loader size={14} aria-hidden />,
  done: <IconCheck size={16} aria-hidden color="var(--mantine-color-teal-6)" />,
  failed: <IconAlertTriangle size={16} aria-hidden color="var(--mantine-color-red-6)" />,
  skipped: <IconPlayerSkipForward size={16} aria-hidden />,
} as const satisfies Record<Status, unknown>;

interface Row {
  step: number;
  status: Status;
  title: string;
  note: readonly (string | null)[];
  /** Of what is being written. */
  text: string | undefined;
}

function Rows({ label, rows }: { label: string; rows: readonly Row[] }) {
  const { t } = useTranslation();
  return (
    <ol className="plan" aria-label={label}>
      {rows.map(({ step, status, title, note, text }) => (
        <li key={step} data-status={status}>
          <span role="img" aria-label={t(`plan.status.${status}`)}>
            {ICONS[status]}
          </span>
          <div style={{ minWidth: 0, flex: 1 }}>
            <Text size="sm">{title}</Text>
            <Text size="xs" className="muted">
              {note.filter(Boolean).join(' · ')}
            </Text>
            {status === 'running' && text && (
              // What was written last is at its lower edge, however long it grows.
              <div className="plan-text" aria-hidden>
                <Text size="xs" className="muted plan-preview">
                  {text}
                </Text>
              </div>
            )}
          </div>
        </li>
      ))}
    </ol>
  );
}
