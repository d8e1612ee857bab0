// What a campaign brought: how many goals were reached, each with its result, by name what failed and what still waits.
import type { Language } from '../intent.js';
import type { CampaignStop } from './campaign.js';
import type { GoalSource } from './derive-goals.js';
import type { Goal } from './goal.js';

const RESULT_CHARS = 8_000;

interface Words {
  reached: (done: number, all: number) => string;
  goal: string;
  failed: string;
  waits: string;
  stopped: Readonly<Record<Exclude<CampaignStop, 'done'>, string>>;
  goOn: string;
  source: Readonly<Record<GoalSource, string>>;
  nothing: string;
}

const WORDS: Readonly<Record<Language, Words>> = {
  en: {
    reached: (done, all) => `${done} of ${all} goals reached`,
    goal: 'Goal',
    failed: 'Not reached',
    waits: 'Not begun yet.',
    stopped: {
      tokens: 'The campaign ended because its tokens were used up.',
      cost: 'The campaign ended because its money was used up.',
      time: 'The campaign ended because its time was over.',
    },
    goOn: 'Write “continue the campaign” to work on what is open.',
    source: {
      open: 'These goals were open from earlier.',
      listed: 'The goals are those you listed.',
      model: 'The goals were derived from your request.',
      words: 'No model made usable goals of the request, so it was divided by its own words.',
      whole: 'The request is the only goal.',
    },
    nothing:
      'There are no open goals here. Say what the campaign is for, such as “start a campaign:” and a list of goals.',
  },
  pl: {
    reached: (done, all) => `Osiągnięto ${done} z ${all} celów`,
    goal: 'Cel',
    failed: 'Nie osiągnięto',
    waits: 'Jeszcze nie rozpoczęto.',
    stopped: {
      tokens: 'Kampania się skończyła, bo wykorzystała swoje tokeny.',
      cost: 'Kampania się skończyła, bo wykorzystała swój budżet.',
      time: 'Kampania się skończyła, bo minął jej czas.',
    },
    goOn: 'Napisz „kontynuuj kampanię”, aby pracować nad tym, co otwarte.',
    source: {
      open: 'Te cele pozostały otwarte z wcześniej.',
      listed: 'Cele są takie, jakie podano na liście.',
      model: 'Cele wyprowadzono z prośby.',
      words: 'Żaden model nie ułożył użytecznych celów, więc prośbę podzielono według jej własnych słów.',
      whole: 'Jedynym celem jest sama prośba.',
    },
    nothing:
      'Nie ma tu otwartych celów. Napisz, czego ma dotyczyć kampania, na przykład „rozpocznij kampanię:” i listę.',
  },
  de: {
    reached: (done, all) => `${done} von ${all} Zielen erreicht`,
    goal: 'Ziel',
    failed: 'Nicht erreicht',
    waits: 'Noch nicht begonnen.',
    stopped: {
      tokens: 'Die Kampagne endete, weil ihre Tokens aufgebraucht sind.',
      cost: 'Die Kampagne endete, weil ihr Geld aufgebraucht ist.',
      time: 'Die Kampagne endete, weil ihre Zeit um ist.',
    },
    goOn: 'Mit „Kampagne fortsetzen“ geht es mit dem weiter, was offen ist.',
    source: {
      open: 'Diese Ziele waren noch offen.',
      listed: 'Die Ziele sind die aufgelisteten.',
      model: 'Die Ziele wurden aus der Bitte abgeleitet.',
      words: 'Kein Modell hat brauchbare Ziele gefunden; die Bitte wurde nach ihren eigenen Worten geteilt.',
      whole: 'Die Bitte selbst ist das einzige Ziel.',
    },
    nothing: 'Hier sind keine Ziele offen. Wofür ist die Kampagne? Etwa „starte eine Kampagne:“ und eine Liste.',
  },
};

export const goalHeading = ({ number, text }: Goal, language: Language): string =>
  `### ${WORDS[language].goal} ${number}: ${text.length > 100 ? `${text.slice(0, 99)}…` : text}\n\n`;

export const goalFailure = ({ error }: Goal, language: Language): string =>
  `**${WORDS[language].failed}:** ${error?.message ?? ''}`;

export const goalsNote = (source: GoalSource, language: Language): string => WORDS[language].source[source];

export const nothingOpen = (language: Language): string => WORDS[language].nothing;

export function campaignReport(
  goals: readonly Goal[],
  stopped: CampaignStop,
  source: GoalSource,
  language: Language,
): string {
  const words = WORDS[language];
  const done = goals.filter(({ status }) => status === 'COMPLETED').length;
  const sections = goals.map((goal) => {
    const { status, result } = goal;
    const body =
      status === 'COMPLETED'
        ? cut(result ?? '')
        : status === 'FAILED'
          ? goalFailure(goal, language)
          : `_${words.waits}_`;
    return `${goalHeading(goal, language)}${body}`;
  });
  return [
    `**${words.reached(done, goals.length)}**`,
    `_${words.source[source]}_`,
    stopped === 'done' ? '' : words.stopped[stopped],
    done === goals.length ? '' : words.goOn,
    ...sections,
  ]
    .filter(Boolean)
    .join('\n\n');
}

const cut = (text: string): string => (text.length > RESULT_CHARS ? `${text.slice(0, RESULT_CHARS)}…` : text);
