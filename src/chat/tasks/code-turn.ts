// A turn that asks for code: drafts and reviews, as code-review.ts has them take turns.
import { AGENTS } from '../agents/agent.js';
import { reviewedCode } from '../agents/code-review.js';
import type { Language } from '../intent.js';
import { logLine } from './log-lines.js';
import { labelsOf, type TurnWork } from './turn-work.js';

const MAX_TRACED_CHARS = 1_000;

export async function codeTurn(work: TurnWork): Promise<string> {
  const { turn, model, context, tracer, show, language } = work;
  const { live } = turn;
  let draft = 0;
  const result = await reviewedCode({
    write: async (repair) => {
      draft += 1;
      if (draft > 1) live.replace(null);
      if (draft > 1) live.repeated = true;
      live.log(logLine('draft', { number: draft }));
      const { text } = await model.ask({
        agent: AGENTS.coder,
        messages: [
          ...context.messages,
          ...(repair
            ? [
                { role: 'assistant' as const, content: repair.code },
                {
                  role: 'user' as const,
                  content: `A reviewer found this. Write the whole answer again with it mended:\n${repair.feedback}`,
                },
              ]
            : []),
        ],
        labels: labelsOf(work),
        onText: (delta) => {
          // The session keeps the first draft as it comes; the end of the turn writes what became of it.
          if (draft === 1) show(delta);
          else live.append(delta);
        },
      });
      return text;
    },
    review: async (code) => {
      const { text } = await model.ask({
        agent: AGENTS.critic,
        pictures: false,
        messages: [
          { role: 'system', content: AGENTS.critic.prompt },
          { role: 'user', content: `What was asked for:\n${turn.text}\n\nThe answer:\n${code}` },
        ],
        labels: labelsOf(work),
      });
      return text;
    },
    costUsd: () => model.costUsd,
    onRound: (round, verdict, feedback) => {
      live.log(logLine('review', { number: round, verdict }));
      tracer.step(
        live.id,
        AGENTS.critic.name,
        'review',
        JSON.stringify({ round, verdict, feedback: feedback.slice(0, MAX_TRACED_CHARS) }),
        verdict === 'approved' ? 'ok' : 'blocked',
      );
    },
  });
  live.update({ code_review: { approved: result.approved, rounds: result.rounds, stopped: result.stopped } });
  return result.approved ? result.code : `${result.code}\n\n---\n${reviewNote(language, result.feedback)}`;
}

const REVIEW_NOTE: Readonly<Record<Language, string>> = {
  en: 'Not approved by the reviewer, whose last remarks were:',
  pl: 'Bez akceptacji recenzenta; ostatnie uwagi:',
  de: 'Vom Prüfer nicht freigegeben; seine letzten Anmerkungen:',
};

const reviewNote = (language: Language, feedback: string): string => `⚠ ${REVIEW_NOTE[language]}\n${feedback}`;
