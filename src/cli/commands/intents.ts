// venom intents review: wordings that models proposed, and what a person decides about them.
import type { z } from 'zod';
import type { LearnedPhraseAnswer, LearnedPhraseList } from '../../contract/intents.js';
import type { CommandContext } from '../command-context.js';
import { table } from '../terminal.js';

export async function listPhrases(
  context: CommandContext,
  { state, limit }: { state: string; limit: string },
): Promise<void> {
  const client = await context.server();
  const query = new URLSearchParams({ limit, ...(state === 'all' ? {} : { state }) });
  const page = await client.get<z.output<typeof LearnedPhraseList>>(`/api/v1/intents/learned?${query}`);
  const rows = page.phrases.map((phrase) => [
    phrase.id,
    phrase.state,
    phrase.intent,
    phrase.language,
    String(phrase.seen),
    phrase.phrase,
  ]);
  context.terminal.result(
    page,
    rows.length === 0 ? 'There is nothing to review.' : table(['ID', 'STATE', 'INTENT', '', 'SEEN', 'PHRASE'], rows),
  );
}

export async function decidePhrase(
  context: CommandContext,
  id: string,
  decision: 'approve' | 'reject',
  intent?: string,
): Promise<void> {
  const client = await context.server();
  const answer = await client.post<z.output<typeof LearnedPhraseAnswer>>(
    `/api/v1/intents/learned/${encodeURIComponent(id)}/${decision}`,
    intent === undefined ? {} : { intent },
  );
  const { phrase } = answer;
  context.terminal.result(answer, `"${phrase.phrase}" (${phrase.intent}) is ${phrase.state}.`);
}
