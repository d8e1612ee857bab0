// A council: four voices speak in turn about one goal, until those who judge agree or a bound is met. Who asks the model is
// the caller's; here is who speaks, when it ends, and why.

export const COUNCIL_MEMBERS = ['architect', 'coder', 'critic', 'guardian'] as const;
export type CouncilMember = (typeof COUNCIL_MEMBERS)[number];

/** They say whether they agree; the others propose. */
const JUDGES: ReadonlySet<CouncilMember> = new Set(['critic', 'guardian']);

export interface CouncilBounds {
  /** 0 = no council at all. */
  rounds: number;
  /** Read and written, of the whole discussion; its conclusion comes on top. */
  tokens: number;
  costUsd: number;
  durationMs: number;
}

export interface Statement {
  /** From 1, in the order they were made. */
  number: number;
  round: number;
  member: CouncilMember;
  text: string;
  /** Null for who does not judge. */
  agrees: boolean | null;
  /** Why the member could not speak. */
  failure: string | null;
}

export type CouncilStop = 'agreed' | 'rounds' | 'tokens' | 'cost' | 'time';

export interface CouncilSpending {
  tokens: number;
  costUsd: number;
  elapsedMs: number;
}

export interface CouncilParts {
  bounds: CouncilBounds;
  /** @throws when the member cannot speak */
  speak: (
    turn: Pick<Statement, 'number' | 'round' | 'member'>,
    before: readonly Statement[],
    remainingMs: number,
  ) => Promise<string>;
  spent: () => CouncilSpending;
  /** A failure that ends the whole council, such as a stop. */
  isFinal: (error: unknown) => boolean;
  describe: (error: unknown) => string;
  onEnd: (statement: Statement) => void;
}

export interface CouncilResult {
  statements: Statement[];
  stopped: CouncilStop;
  rounds: number;
}

/** @throws what is final, and the last failure where nobody proposed anything in a whole round */
export async function runCouncil(parts: CouncilParts): Promise<CouncilResult> {
  const { bounds, spent, onEnd } = parts;
  const statements: Statement[] = [];
  for (let round = 1; ; round += 1) {
    let failure: unknown;
    for (const member of COUNCIL_MEMBERS) {
      const bound = boundMet(bounds, spent());
      if (bound) return { statements, stopped: bound, rounds: round };
      const statement: Statement = {
        number: statements.length + 1,
        round,
        member,
        text: '',
        agrees: null,
        failure: null,
      };
      try {
        statement.text = await parts.speak(statement, statements, bounds.durationMs - spent().elapsedMs);
        if (JUDGES.has(member)) statement.agrees = isAgreement(statement.text);
      } catch (error) {
        if (parts.isFinal(error)) throw error;
        failure = error;
        statement.failure = parts.describe(error);
      }
      statements.push(statement);
      onEnd(statement);
    }
    const said = statements.filter((statement) => statement.round === round && statement.failure === null);
    if (!said.some(({ member }) => !JUDGES.has(member))) throw failure;
    const judged = said.filter(({ member }) => JUDGES.has(member));
    // Who could not speak has not agreed.
    if (judged.length === JUDGES.size && judged.every(({ agrees }) => agrees))
      return { statements, stopped: 'agreed', rounds: round };
    if (round >= bounds.rounds) return { statements, stopped: 'rounds', rounds: round };
  }
}

function boundMet(bounds: CouncilBounds, { tokens, costUsd, elapsedMs }: CouncilSpending): CouncilStop | null {
  if (tokens >= bounds.tokens) return 'tokens';
  if (costUsd >= bounds.costUsd) return 'cost';
  return elapsedMs >= bounds.durationMs ? 'time' : null;
}

/** `AGREED`, in capitals as it is asked for, and no denial of it. */
export const isAgreement = (text: string): boolean =>
  /\bAGREED\b/.test(text) && !/\b(?:NOT|DIS|UN|NOTHING|NEVER)[\s-]?(?:YET\s)?AGREED\b/i.test(text);

/** What was said, newest kept, for whoever speaks next. */
export function transcript(statements: readonly Statement[], maxChars: number): string {
  const lines: string[] = [];
  let left = maxChars;
  for (const { round, member, text, failure } of statements.toReversed()) {
    if (failure !== null) continue;
    const line = `[${member}, round ${round}]\n${text.trim()}`;
    const shown = line.length > left ? `${line.slice(0, Math.max(0, left - 1))}…` : line;
    if (left <= member.length + 20) break;
    lines.unshift(shown);
    left -= shown.length;
  }
  return lines.join('\n\n');
}
