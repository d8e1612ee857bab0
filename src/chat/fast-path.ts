// Answers that need no model: help, the time, the state of the services, and what cannot be done. Pure functions of
// facts somebody else has gathered.
import { FAST_PATH_TEXTS, LOCALES } from './fast-path-texts.js';
import type { IntentId, Language } from './intent.js';
import { STATIC_INTENTS } from './intent-traits.js';

/** Who may work on a turn, as far as they are present. */
export const AGENTS = [
  'coder',
  'critic',
  'researcher',
  'librarian',
  'architect',
  'git',
  'tester',
  'publisher',
  'release',
  'executive',
  'toolmaker',
  'chat',
] as const;
export type AgentId = (typeof AGENTS)[number];

export const ADVANCED_MODES = ['direct', 'normal', 'complex', 'council', 'campaign'] as const;
export type AdvancedMode = (typeof ADVANCED_MODES)[number];

export interface ServiceFact {
  name: string;
  status: 'online' | 'offline' | 'degraded' | 'unknown';
  critical: boolean;
  latencyMs: number | null;
  error: string | null;
}

export interface FastPathFacts {
  /** Milliseconds since the epoch. */
  now: number;
  /** The client's IANA zone where it sent one; the server's otherwise. */
  timeZone: string | null;
  /** As collected last; null where nothing was collected yet. */
  services: readonly ServiceFact[] | null;
  /** When they were collected. */
  servicesAt: number | null;
  agents: readonly AgentId[];
  modes: readonly AdvancedMode[];
  /** All that are loaded; those of our own are left out here. */
  plugins: readonly string[];
  activeModel: string | null;
  /** Names of the cloud providers that may be used. */
  cloud: readonly string[];
  hasMemory: boolean;
}

/** Null where the intent has no template. */
export function fastPathAnswer(
  intent: IntentId,
  text: string,
  facts: FastPathFacts,
  language: Language | null,
): string | null {
  const spoken = language ?? 'en';
  if (intent === 'UNSUPPORTED_TASK') return unsupportedAnswer(facts, spoken);
  if (!STATIC_INTENTS.has(intent)) return null;
  if (intent === 'TIME_REQUEST') return timeAnswer(text, facts, spoken);
  return intent === 'HELP_REQUEST' ? helpAnswer(facts, spoken) : statusAnswer(facts, spoken);
}

/** Only hours and minutes where the person asks for it short. */
const SHORT =
  /\b(?:short|briefly|just the time|only the time|hh:?mm|kurz|nur die uhrzeit|nur uhrzeit|knapp)\b|kr[oó]tk|sam[aą] godzin|tylko godzin/iu;

export function timeAnswer(text: string, facts: Pick<FastPathFacts, 'now' | 'timeZone'>, language: Language): string {
  const timeZone = knownZone(facts.timeZone);
  const locale = LOCALES[language];
  const at = new Date(facts.now);
  const time = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone });
  if (SHORT.test(text)) return time.format(at);
  const date = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeZone });
  return FAST_PATH_TEXTS[language].time({ date: date.format(at), time: time.format(at), zone: timeZone });
}

export function helpAnswer(facts: FastPathFacts, language: Language): string {
  const texts = FAST_PATH_TEXTS[language];
  const plugins = facts.plugins.filter((name) => !name.startsWith('_') && !name.toLowerCase().includes('internal'));
  const model = facts.activeModel === null ? texts.noModel : texts.model(facts.activeModel);
  const cloud = facts.cloud.length === 0 ? texts.onlyLocal : texts.cloud(facts.cloud.join(', '));
  const parts = [
    texts.who,
    section(
      texts.agentsHeading,
      facts.agents.map((agent) => texts.agents[agent]),
    ),
    section(
      texts.modesHeading,
      facts.modes.map((mode) => texts.modes[mode]),
    ),
    section(
      texts.pluginsHeading,
      plugins.map((name) => `\`${name}\``),
    ),
    section(texts.examplesHeading, examplesFor(facts.agents, language)),
    section(texts.factsHeading, [model, cloud, ...(facts.hasMemory ? [texts.memory] : [])]),
    texts.invitation,
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

export function statusAnswer(
  facts: Pick<FastPathFacts, 'services' | 'servicesAt' | 'now'>,
  language: Language,
): string {
  const texts = FAST_PATH_TEXTS[language];
  const { services } = facts;
  if (!services || services.length === 0) return texts.statusUnknown;
  const counted = (['online', 'degraded', 'offline', 'unknown'] as const)
    .map((status) => ({ status, count: services.filter((service) => service.status === status).length }))
    .filter(({ count }) => count > 0)
    .map(({ status, count }) => `${texts.statuses[status]}: ${count}`);
  const critical = services.filter(
    ({ critical, status }) => critical && (status === 'offline' || status === 'degraded'),
  );
  const lines = services.map(({ name, status, latencyMs, error }) => {
    const latency = latencyMs === null || status === 'offline' ? '' : `, ${Math.round(latencyMs)} ms`;
    return `**${name}**: ${texts.statuses[status]}${latency}${error === null ? '' : ` (${error})`}`;
  });
  const ageSeconds = facts.servicesAt === null ? null : Math.max(0, Math.round((facts.now - facts.servicesAt) / 1_000));
  return [
    `${texts.statusHeading} ${counted.join(', ')}`,
    critical.length === 0 ? texts.noAlerts : texts.alerts(critical.map(({ name }) => name).join(', ')),
    section('', lines),
    ageSeconds === null ? '' : texts.statusAge(ageSeconds),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** What cannot be done is said, with what can be done instead. */
/** @param understood  the wish is one of ours, and only its tool is missing */
export function unsupportedAnswer(
  facts: Pick<FastPathFacts, 'agents'>,
  language: Language,
  understood = false,
): string {
  const texts = FAST_PATH_TEXTS[language];
  const able = facts.agents.map((agent) => texts.agents[agent]);
  return [
    understood ? texts.toolMissing : texts.unsupported,
    section(texts.insteadHeading, able.slice(0, 4)),
    texts.askHelp,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function examplesFor(agents: readonly AgentId[], language: Language): string[] {
  const { examples } = FAST_PATH_TEXTS[language];
  return Object.entries(examples).flatMap(([agent, example]) =>
    agents.includes(agent as AgentId) ? [`“${example}”`] : [],
  );
}

function section(heading: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  const list = lines.map((line) => `- ${line}`).join('\n');
  return heading === '' ? list : `**${heading}**\n${list}`;
}

/** A zone nobody knows must not cost the answer. */
function knownZone(zone: string | null): string {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone === null) return own;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return own;
  }
}
