// What a model is given beside the question: within a budget of real tokens, and never at the cost of the question.
import type { HiddenPrompts } from '../learning/hidden-prompts.js';
import type { Lessons } from '../learning/lessons.js';
import type { Memory } from '../memory/memory.js';
import { type MemoryEntry, placesOf } from '../memory/ports.js';
import type { MessageRole } from '../ports.js';
import type { BuiltContext, ContextBuilder, ContextRequest, RecalledEntry } from '../turn-ports.js';
import {
  extraBlocks,
  HIDDEN_HEADING,
  hiddenPromptExample,
  LESSONS_HEADING,
  MEMORY_HEADING,
  memoryQuote,
  sessionBlock,
  summaryBlock,
} from './context-parts.js';
import type { SessionContextRepository } from './ports.js';
import { type RetrievalSettings, retrievalLimits } from './retrieval-limits.js';
import { TokenBudget } from './token-budget.js';

// Shares of what is left after question and system prompt. What a part does not use goes to the history, which comes last.
const EXTRA_SHARE = 0.5;
const SUMMARY_SHARE = 0.15;
const MEMORY_SHARE = 0.25;
const LESSONS_SHARE = 0.1;
const HIDDEN_SHARE = 0.1;
/** More characters than this make a token in hardly any language; it bounds what is read, not what is sent. */
const CHARS_PER_TOKEN = 6;
const HISTORY_CHARS = 300_000;
/** Reads of nearly the same length share what was read. */
const HISTORY_STEP_CHARS = 16_384;
const PINNED = 5;
const USED_OF_RECALLED = 3;

interface HistoryText {
  role: MessageRole;
  content: string;
}

export interface ContextSources {
  memory: Memory;
  lessons: Lessons;
  hiddenPrompts: HiddenPrompts;
  sessions: {
    recentTexts(sessionId: string, maxChars: number): readonly HistoryText[];
    textBytes(sessionId: string): number;
    /** What the assistant is told in this conversation; '' where nothing is. */
    instructions(sessionId: string): string;
    /** The question of a turn, as it was stored. */
    question(requestId: string): { content: string } | undefined;
  };
  sessionContext: SessionContextRepository;
}

export interface ContextOptions {
  retrieval: RetrievalSettings;
  /** `ENABLE_META_LEARNING`: lessons and approved examples. */
  learning: boolean;
}

type Part = BuiltContext['dropped'][number]['part'];

export class MemoryContextBuilder implements ContextBuilder {
  readonly #sources: ContextSources;
  readonly #options: ContextOptions;

  constructor(sources: ContextSources, options: ContextOptions) {
    this.#sources = sources;
    this.#options = options;
  }

  async build(request: ContextRequest): Promise<BuiltContext> {
    request.signal.throwIfAborted();
    const { sessionContext } = this.#sources;
    const { sessionId } = request;
    const budget = new TokenBudget(request.budgetTokens, request.countTokens);
    const labels = new Set<string>();
    const dropped = new Map<Part, number>();
    const drop = (part: Part, tokens: number) => {
      if (tokens > 0) dropped.set(part, (dropped.get(part) ?? 0) + tokens);
    };

    // What a person wrote now and how the assistant is set up are never weighed against anything.
    budget.spend(await budget.messageTokens(request.text));
    budget.spend(await budget.messageTokens(request.systemPrompt));
    const instructions =
      request.instructions ?? (sessionId === null ? '' : this.#sources.sessions.instructions(sessionId));
    if (instructions !== '') budget.spend(await budget.tokensOf(instructions));
    const room = Math.max(0, budget.left);
    const session = sessionBlock(request);
    const system = [request.systemPrompt, instructions];
    if (session !== '' && budget.take(await budget.tokensOf(session))) system.push(session);

    const extra = extraBlocks(request);
    const withExtra = await budget.takeList('', extra, room * EXTRA_SHARE);
    drop('extra', withExtra.droppedTokens);
    const question = [request.text, ...extra.slice(0, withExtra.taken)].join('\n\n');

    const found = request.withMemory ? await this.#look(request) : NOTHING;
    const history = request.withHistory && sessionId !== null ? this.#history(request, budget.left) : NO_HISTORY;
    const summary = request.withHistory && sessionId !== null ? sessionContext.summary(sessionId) : null;

    const quotes = found.entries.map(({ entry, chunk }, index) => memoryQuote(index + 1, { entry, chunk }));
    const memory = await budget.takeList(MEMORY_HEADING, quotes, room * MEMORY_SHARE);
    drop('memory', memory.droppedTokens);
    const lessons = await budget.takeList(
      LESSONS_HEADING,
      found.lessons.map(({ text }) => text),
      room * LESSONS_SHARE,
    );
    drop('lessons', lessons.droppedTokens);
    const examples = found.hiddenPrompts.map(hiddenPromptExample);
    const hidden = await budget.takeList(HIDDEN_HEADING, examples, room * HIDDEN_SHARE);
    drop('lessons', hidden.droppedTokens);

    // The summary stands for what is left out of the history; where nothing is, it would only repeat it.
    const block = summary ? summaryBlock(summary.text) : '';
    const summaryTokens = summary ? await budget.tokensOf(block) : 0;
    const reserved = summary && summaryTokens <= Math.min(budget.left, room * SUMMARY_SHARE) ? summaryTokens : 0;
    const kept = await this.#keepHistory(history.texts, budget, reserved);
    const left = await this.#leftOut(history.bytes - kept.bytes, kept.messages, request);
    drop('history', left);
    if (summary && left > 0) {
      if (reserved > 0) {
        budget.spend(summaryTokens);
        system.push(block);
      } else drop('summary', summaryTokens);
    }

    const recalled = found.entries.slice(0, memory.taken);
    if (memory.taken > 0) system.push([MEMORY_HEADING, ...quotes.slice(0, memory.taken)].join('\n'));
    if (lessons.taken > 0)
      system.push([LESSONS_HEADING, ...found.lessons.slice(0, lessons.taken).map(({ text }) => text)].join('\n'));
    if (hidden.taken > 0) system.push([HIDDEN_HEADING, ...examples.slice(0, hidden.taken)].join('\n'));

    const included = [
      ...recalled.map(({ entry }) => entry),
      ...found.lessons.slice(0, lessons.taken),
      ...found.hiddenPrompts.slice(0, hidden.taken),
    ];
    for (const { labels: own } of included) for (const label of own) labels.add(label);
    if (sessionId !== null && (kept.messages.length > 0 || (summary && left > 0)))
      for (const label of sessionContext.labels(sessionId)) labels.add(label);

    const systemText = system.filter((part) => part.trim() !== '').join('\n\n');
    return {
      messages: [
        ...(systemText === '' ? [] : [{ role: 'system' as const, content: systemText }]),
        ...kept.messages,
        { role: 'user', content: question },
      ],
      recalled: recalled.map(toRecalled),
      lessons: found.lessons.slice(0, lessons.taken).map(({ id, text }) => ({ id, text })),
      hiddenPrompts: hidden.taken,
      dropped: [...dropped].map(([part, tokens]) => ({ part, tokens })),
      tokens: budget.used,
      degraded: found.degraded,
      labels: [...labels],
    };
  }

  async #look(request: ContextRequest): Promise<Found> {
    const { memory, lessons, hiddenPrompts } = this.#sources;
    const { sessionId, owner = null, text, intent, signal } = request;
    const limits = retrievalLimits(intent, this.#options.retrieval);
    const places = placesOf(owner, sessionId);
    const { hits, degraded } = await memory.search({
      text,
      places,
      kinds: ['fact', 'summary', 'knowledge'],
      // What stands in the history already is left out below, so more are asked for than used.
      limit: limits.memory * 2,
      signal,
    });
    const learnt = this.#options.learning;
    const pinned = memory.pinned(places, PINNED).map(asRecalled);
    const recent = this.#recentText(request);
    const fresh = hits.filter(
      (hit) =>
        !recent.includes(hit.chunk.text) &&
        hit.chunk.text !== text &&
        pinned.every(({ entry }) => entry.id !== hit.entry.id),
    );
    const used = Math.max(USED_OF_RECALLED, limits.memory - 2);
    return {
      entries: [...pinned, ...fresh.slice(0, used)],
      lessons: learnt ? await lessons.find(text, { owner, sessionId }, limits.lessons, signal) : [],
      hiddenPrompts: learnt ? hiddenPrompts.for(intent, text, { owner, sessionId }) : [],
      degraded,
    };
  }

  /** What will most likely stand in the history anyway. */
  #recentText({ sessionId, withHistory, budgetTokens }: ContextRequest): string {
    if (sessionId === null || !withHistory) return '';
    return this.#sources.sessions
      .recentTexts(sessionId, Math.min(RECENT_CHARS, budgetTokens * 2))
      .map(({ content }) => content)
      .join('\n');
  }

  /** Newest last, and the bytes of all there is. Ends with an answer: a question that got none would be answered now. */
  #history({ sessionId, text, requestId }: ContextRequest, leftTokens: number): History {
    const { sessions } = this.#sources;
    const wanted = Math.max(0, leftTokens) * CHARS_PER_TOKEN + text.length;
    const chars = Math.min(HISTORY_CHARS, Math.ceil(wanted / HISTORY_STEP_CHARS) * HISTORY_STEP_CHARS);
    const texts = [...sessions.recentTexts(sessionId as string, chars)];
    const bytes = sessions.textBytes(sessionId as string);
    const question = (requestId === undefined ? undefined : sessions.question(requestId)?.content) ?? text;
    const at = texts.findLastIndex(({ role, content }) => role === 'user' && content === question);
    // Without its id, only the very last message can be taken for the question.
    const isOwn = at !== -1 && (requestId !== undefined || at === texts.length - 1);
    if (isOwn) texts.splice(at, 1);
    const counted = isOwn ? bytes - Buffer.byteLength(question) : bytes;
    while (texts.at(-1)?.role === 'user') texts.pop();
    return { texts, bytes: counted };
  }

  /** From the newest backwards, as long as they fit; starts with a question, and roles alternate as templates expect. */
  async #keepHistory(
    texts: readonly HistoryText[],
    budget: TokenBudget,
    reserved: number,
  ): Promise<{ messages: HistoryText[]; bytes: number }> {
    let from = texts.length;
    const costs: number[] = [];
    let spent = 0;
    while (from > 0) {
      const tokens = await budget.messageTokens((texts[from - 1] as HistoryText).content);
      if (spent + tokens > budget.left - reserved) break;
      spent += tokens;
      costs.unshift(tokens);
      from -= 1;
    }
    while (from < texts.length && texts[from]?.role === 'assistant') {
      spent -= costs.shift() ?? 0;
      from += 1;
    }
    budget.spend(spent);
    const kept = texts.slice(from);
    return {
      messages: alternating(kept),
      bytes: kept.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0),
    };
  }

  /** Tokens of what is not sent, by the measure of what is: nobody waits for an exact figure of it. */
  async #leftOut(bytes: number, kept: readonly HistoryText[], { countTokens, text }: ContextRequest): Promise<number> {
    if (bytes <= 0) return 0;
    const sample = (kept.at(-1)?.content || text || 'text').slice(0, SAMPLE_CHARS);
    return Math.max(1, Math.round((bytes * (await countTokens(sample))) / Buffer.byteLength(sample)));
  }
}

const SAMPLE_CHARS = 4_000;
const RECENT_CHARS = 8_000;

interface History {
  texts: HistoryText[];
  bytes: number;
}

const NO_HISTORY: History = { texts: [], bytes: 0 };

interface Found {
  entries: Pick<Hit, 'entry' | 'chunk' | 'score'>[];
  lessons: { id: string; text: string; labels: readonly string[] }[];
  hiddenPrompts: ReturnType<HiddenPrompts['for']>;
  degraded: string | null;
}

type Hit = Awaited<ReturnType<Memory['search']>>['hits'][number];

const NOTHING: Found = { entries: [], lessons: [], hiddenPrompts: [], degraded: null };

const asRecalled = (entry: MemoryEntry): Pick<Hit, 'entry' | 'chunk' | 'score'> => ({
  entry,
  chunk: { text: entry.text, page: null, start: 0 },
  score: 1,
});

const toRecalled = ({ entry, chunk, score }: Pick<Hit, 'entry' | 'chunk' | 'score'>): RecalledEntry => ({
  id: entry.id,
  text: chunk.text,
  kind: entry.kind,
  source: chunk.page === null ? entry.source : `${entry.source}, page ${chunk.page}`,
  score,
  labels: entry.labels,
});

/** A failed answer leaves two questions in a row. */
function alternating(texts: readonly HistoryText[]): HistoryText[] {
  const merged: HistoryText[] = [];
  for (const { role, content } of texts) {
    const last = merged.at(-1);
    if (last?.role === role) last.content = `${last.content}\n\n${content}`;
    else merged.push({ role, content });
  }
  return merged;
}
