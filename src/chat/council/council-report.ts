// What a council leaves: its conclusion, how it ended, and what each member said. In the person's language.
import type { Language } from '../intent.js';
import type {
  CouncilBounds,
  CouncilMember,
  CouncilResult,
  CouncilSpending,
  CouncilStop,
  Statement,
} from './council.js';

const STATEMENT_CHARS = 4_000;

interface Words {
  council: string;
  conclusion: string;
  round: string;
  members: Readonly<Record<CouncilMember, string>>;
  stopped: Readonly<Record<CouncilStop, string>>;
  spent: (spent: string, most: string) => string;
  silent: (why: string) => string;
}

const WORDS: Readonly<Record<Language, Words>> = {
  en: {
    council: 'Council',
    conclusion: 'Conclusion',
    round: 'Round',
    members: { architect: 'Architect', coder: 'Coder', critic: 'Critic', guardian: 'Guardian' },
    stopped: {
      agreed: 'agreed',
      rounds: 'ended without agreement at its last round',
      tokens: 'ended without agreement: its tokens were used up',
      cost: 'ended without agreement: its money was used up',
      time: 'ended without agreement: its time was over',
    },
    spent: (spent, most) => `${spent} of ${most} tokens`,
    silent: (why) => `could not speak: ${why}`,
  },
  pl: {
    council: 'Rada',
    conclusion: 'Wniosek',
    round: 'Runda',
    members: { architect: 'Architekt', coder: 'Programista', critic: 'Krytyk', guardian: 'Strażnik' },
    stopped: {
      agreed: 'doszła do zgody',
      rounds: 'bez zgody po ostatniej rundzie',
      tokens: 'bez zgody: skończyły się tokeny',
      cost: 'bez zgody: skończył się budżet',
      time: 'bez zgody: skończył się czas',
    },
    spent: (spent, most) => `${spent} z ${most} tokenów`,
    silent: (why) => `nie zabrał głosu: ${why}`,
  },
  de: {
    council: 'Rat',
    conclusion: 'Ergebnis',
    round: 'Runde',
    members: { architect: 'Architekt', coder: 'Programmierer', critic: 'Kritiker', guardian: 'Wächter' },
    stopped: {
      agreed: 'ist sich einig',
      rounds: 'ohne Einigung nach der letzten Runde',
      tokens: 'ohne Einigung: die Tokens sind aufgebraucht',
      cost: 'ohne Einigung: das Geld ist aufgebraucht',
      time: 'ohne Einigung: die Zeit ist um',
    },
    spent: (spent, most) => `${spent} von ${most} Tokens`,
    silent: (why) => `konnte nicht sprechen: ${why}`,
  },
};

export const statementHeading = ({ round, member }: Pick<Statement, 'round' | 'member'>, language: Language): string =>
  `### ${WORDS[language].members[member]} · ${WORDS[language].round} ${round}\n\n`;

export const silence = (why: string, language: Language): string => `_${WORDS[language].silent(why)}_`;

export const conclusionHeading = (language: Language): string => `### ${WORDS[language].conclusion}\n\n`;

export function councilReport(
  conclusion: string,
  { statements, stopped, rounds }: CouncilResult,
  bounds: CouncilBounds,
  spending: CouncilSpending,
  language: Language,
): string {
  const words = WORDS[language];
  const tokens = (count: number) => new Intl.NumberFormat(language).format(count);
  const head = [
    `**${words.council}: ${words.stopped[stopped]}**`,
    `${words.round} ${rounds}/${bounds.rounds}`,
    words.spent(tokens(spending.tokens), tokens(bounds.tokens)),
  ].join(' · ');
  const said = statements.map((statement) => {
    const { text, failure } = statement;
    const body = failure === null ? cut(text.trim()) : silence(failure, language);
    return `${statementHeading(statement, language)}${body}`;
  });
  return `${conclusion.trim()}\n\n---\n${head}\n\n${said.join('\n\n')}`;
}

const cut = (text: string): string => (text.length > STATEMENT_CHARS ? `${text.slice(0, STATEMENT_CHARS)}…` : text);
