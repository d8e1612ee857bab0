// The Executive: goals, tasks, queue, models and services as they are at this moment. The facts are the report; a model may put
// a summary in front of them.
import type { Language } from '../../intent.js';
import { needed, type ProcedureWork } from './procedure.js';

const SUMMARY_TOKENS = 300;
const MOST_LINES = 10;

interface WorkReport {
  goals: { counts: Record<string, number>; here: { text: string; status: string }[] };
  tasks: { counts: Record<string, number>; here: { content: string; status: string }[] };
  queue: { paused: boolean; pending: number; active: number; limit: number | null };
}

export async function executiveProcedure(work: ProcedureWork): Promise<string> {
  const words = WORDS[work.language];
  const report = needed(await work.call('work__report', {})).structured as WorkReport;
  const sections = [
    section(words.goals, [counted(report.goals.counts, words), ...lines(report.goals.here, ({ text }) => text, words)]),
    section(words.tasks, [
      counted(report.tasks.counts, words),
      ...lines(report.tasks.here, ({ content }) => content, words),
    ]),
    section(words.queue, [words.queued(report.queue)]),
    section(words.models, await models(work, words)),
    section(words.services, await listed(work, 'system__status')),
  ];
  const facts = sections.join('\n\n');
  if (work.small) {
    work.say(facts);
    return facts;
  }
  const summary = await work.write(
    `This is the state of everything right now:\n${facts}\n\nSum it up in two or three sentences for ${JSON.stringify(work.text.slice(0, 500))}: what is done, what is open, what needs attention. Only what stands above is known.`,
    { shown: true, maxTokens: SUMMARY_TOKENS },
  );
  work.say(`\n\n---\n${facts}`);
  return `${summary.trim()}\n\n---\n${facts}`;
}

async function models(work: ProcedureWork, words: Words): Promise<string[]> {
  const named = async (tool: string): Promise<string[] | null> => {
    if (!work.has(tool)) return null;
    const found = await work.call(tool, {});
    const list = (found.structured as { models?: { name: string }[] } | null)?.models;
    return found.failed || !list ? null : list.map(({ name }) => name);
  };
  const [installed, loaded] = [await named('models__list'), await named('models__ps')];
  return [
    installed === null ? words.unknown : words.installed(installed.length, installed.slice(0, MOST_LINES).join(', ')),
    loaded === null ? '' : words.loaded(loaded.join(', ')),
  ].filter(Boolean);
}

async function listed(work: ProcedureWork, tool: string): Promise<string[]> {
  const found = work.has(tool) ? await work.call(tool, {}) : null;
  if (!found || found.failed) return [WORDS[work.language].unknown];
  return found.text.split('\n').slice(0, MOST_LINES * 2);
}

const section = (heading: string, rows: readonly string[]): string =>
  `**${heading}**\n${rows.map((row) => `- ${row}`).join('\n')}`;

function counted(counts: Record<string, number>, words: Words): string {
  const parts = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([status, count]) => `${words.statuses[status] ?? status}: ${count}`);
  return parts.length === 0 ? words.none : parts.join(', ');
}

function lines<T extends { status: string }>(rows: readonly T[], text: (row: T) => string, words: Words): string[] {
  return rows.slice(0, MOST_LINES).map((row) => {
    const said = text(row).replace(/\s+/g, ' ').trim();
    return `${words.statuses[row.status] ?? row.status}: ${said.length > 100 ? `${said.slice(0, 99)}…` : said}`;
  });
}

interface Words {
  goals: string;
  tasks: string;
  queue: string;
  models: string;
  services: string;
  none: string;
  unknown: string;
  statuses: Readonly<Record<string, string>>;
  queued: (queue: WorkReport['queue']) => string;
  installed: (count: number, names: string) => string;
  loaded: (names: string) => string;
}

const WORDS: Readonly<Record<Language, Words>> = {
  en: {
    goals: 'Goals',
    tasks: 'Tasks',
    queue: 'Queue',
    models: 'Models',
    services: 'Services',
    none: 'none',
    unknown: 'not known',
    statuses: {
      PENDING: 'waiting',
      IN_PROGRESS: 'running',
      PROCESSING: 'running',
      COMPLETED: 'done',
      FAILED: 'failed',
    },
    queued: ({ paused, pending, active, limit }) =>
      `${active} running${limit === null ? '' : ` of at most ${limit}`}, ${pending} waiting${paused ? '; paused' : ''}`,
    installed: (count, names) => `${count} installed${names ? `: ${names}` : ''}`,
    loaded: (names) => `in memory: ${names || 'none'}`,
  },
  pl: {
    goals: 'Cele',
    tasks: 'Zadania',
    queue: 'Kolejka',
    models: 'Modele',
    services: 'Usługi',
    none: 'brak',
    unknown: 'nieznane',
    statuses: {
      PENDING: 'czeka',
      IN_PROGRESS: 'w toku',
      PROCESSING: 'w toku',
      COMPLETED: 'gotowe',
      FAILED: 'nie powiodło się',
    },
    queued: ({ paused, pending, active, limit }) =>
      `w toku: ${active}${limit === null ? '' : ` z najwyżej ${limit}`}, czeka: ${pending}${paused ? '; wstrzymana' : ''}`,
    installed: (count, names) => `zainstalowane: ${count}${names ? `: ${names}` : ''}`,
    loaded: (names) => `w pamięci: ${names || 'brak'}`,
  },
  de: {
    goals: 'Ziele',
    tasks: 'Aufgaben',
    queue: 'Warteschlange',
    models: 'Modelle',
    services: 'Dienste',
    none: 'keine',
    unknown: 'nicht bekannt',
    statuses: {
      PENDING: 'wartet',
      IN_PROGRESS: 'läuft',
      PROCESSING: 'läuft',
      COMPLETED: 'fertig',
      FAILED: 'fehlgeschlagen',
    },
    queued: ({ paused, pending, active, limit }) =>
      `${active} laufen${limit === null ? '' : ` von höchstens ${limit}`}, ${pending} warten${paused ? '; angehalten' : ''}`,
    installed: (count, names) => `${count} installiert${names ? `: ${names}` : ''}`,
    loaded: (names) => `im Speicher: ${names || 'keine'}`,
  },
};
