// SessionStore: chat history that survives any crash. What is acknowledged is on disk; partial text is at most 250 ms
// behind.
import type { Clock } from '../../shared/clock.js';
import { DebouncedWriter } from '../../shared/debounced-writer.js';
import { AppError } from '../../shared/errors.js';
import type {
  BroughtConversation,
  BroughtMessage,
  EventSink,
  PartialText,
  SessionChange,
  SessionLabelling,
  SessionPage,
  SessionRepository,
  SessionSummary,
  StoredMessage,
  TurnEnd,
  TurnStart,
} from '../ports.js';
import { type RecentText, RecentTexts } from './recent-texts.js';

const PARTIAL_DELAY_MS = 200;

export class SessionStore {
  readonly #repository: SessionRepository;
  readonly #clock: Clock;
  readonly #events: EventSink;
  readonly #labelling: SessionLabelling | undefined;
  readonly #parts: DebouncedWriter<string, PartialText>;
  readonly #recent = new RecentTexts();
  #forget: (sessionId: string) => Promise<number> = async () => 0;
  /** Answers a former process left unfinished and that are now marked `interrupted`. */
  readonly recovered: number;

  /** A new `bootId` is written down; it is never a reason to clear anything. */
  constructor(
    repository: SessionRepository,
    clock: Clock,
    events: EventSink,
    bootId: string,
    labelling?: SessionLabelling,
  ) {
    this.#labelling = labelling;
    this.#repository = repository;
    this.#clock = clock;
    this.#events = events;
    this.#parts = new DebouncedWriter(PARTIAL_DELAY_MS, (parts) => {
      try {
        repository.appendParts(parts);
      } catch {
        // The whole text is written at the end of the turn; a failing disk shows itself there with a code.
      }
    });
    repository.adoptBoot(bootId);
    this.recovered = repository.interruptUnfinished();
  }

  /**
   * Resolves when question and empty answer are on disk, with what `along` writes in the same commit.
   * @throws AppError `insufficient_storage`
   */
  async beginTurn(turn: Omit<TurnStart, 'at'>, along?: () => Promise<unknown>): Promise<void> {
    if (turn.instructions) await this.#labelling?.label(turn.sessionId, turn.instructions, 'user');
    const labels = turn.labels ?? (await this.#labelling?.label(turn.sessionId, turn.userText, 'user'));
    await this.#written(() => this.#repository.beginTurn({ ...turn, labels, at: this.#clock.now() }), along);
    this.#recent.add(turn.sessionId, { role: 'user', content: turn.userText });
  }

  async #written(own: () => Promise<void>, along: (() => Promise<unknown>) | undefined): Promise<void> {
    if (along) await this.#repository.together(() => Promise.all([along(), own()]));
    else await own();
  }

  appendPart(requestId: string, text: string, thought = ''): void {
    const before = this.#parts.get(requestId);
    this.#parts.set(requestId, { text: (before?.text ?? '') + text, thought: (before?.thought ?? '') + thought });
  }

  /** Resolves when the answer is on disk, with what `along` writes in the same commit. */
  async endTurn(sessionId: string, end: TurnEnd, along?: () => Promise<unknown>): Promise<void> {
    // A local model may repeat what a tool or the memory told it.
    const said = end.thought ? `${end.thought}\n${end.text}` : end.text;
    await this.#labelling?.label(sessionId, said, 'assistant');
    this.#parts.delete(end.requestId);
    await this.#written(() => this.#repository.endTurn(end), along);
    this.#recent.add(sessionId, { role: 'assistant', content: end.text });
    this.#events.publish('SESSION_UPDATED', 'Session updated', { session_id: sessionId });
  }

  /** An answer that ended without its text is written again. False where the session no longer has it. */
  async reopenTurn(sessionId: string, requestId: string): Promise<boolean> {
    const reopened = await this.#repository.reopenTurn(requestId);
    this.#recent.forget(sessionId);
    return reopened;
  }

  async append(message: Omit<StoredMessage, 'seq' | 'createdAt'>): Promise<number> {
    const labels = message.labels ?? (await this.#labelling?.label(message.sessionId, message.content, message.role));
    const seq = await this.#repository.append({ ...message, labels, createdAt: this.#clock.now() });
    this.#recent.forget(message.sessionId);
    return seq;
  }

  /** @throws AppError `conflict` where there is a session of that name, `insufficient_storage` */
  async bringIn({ messages, ...session }: BroughtConversation): Promise<void> {
    const { sessionId, instructions } = session;
    if (this.#repository.summary(sessionId)) throw taken(sessionId);
    if (instructions) await this.#labelling?.label(sessionId, instructions, 'user');
    const labelled: BroughtMessage[] = [];
    for (const message of messages) {
      const found = (await this.#labelling?.label(sessionId, message.content, message.role)) ?? [];
      labelled.push({ ...message, labels: [...new Set([...(message.labels ?? []), ...found])] });
    }
    if (!(await this.#repository.bringIn({ ...session, messages: labelled }, this.#clock.now())))
      throw taken(sessionId);
    this.#events.publish('SESSION_UPDATED', 'Session brought in', { session_id: sessionId });
  }

  list(page: SessionPage): { sessions: SessionSummary[]; total: number } {
    return this.#repository.list(page);
  }

  /** @throws AppError `session_not_found` */
  summary(sessionId: string): SessionSummary {
    const found = this.#repository.summary(sessionId);
    if (!found) throw notFound(sessionId);
    return found;
  }

  messages(sessionId: string, page: { limit: number; beforeSeq?: number | undefined }): StoredMessage[] {
    return this.#repository.messages(sessionId, page);
  }

  /** The last texts of the conversation, oldest first, together at most `maxChars` long. */
  recentTexts(sessionId: string, maxChars: number): RecentText[] {
    return this.#recent.get(sessionId, maxChars, () => this.#repository.recentTexts(sessionId, maxChars));
  }

  textBytes(sessionId: string): number {
    return this.#repository.textBytes(sessionId);
  }

  question(requestId: string): StoredMessage | undefined {
    return this.#repository.question(requestId);
  }

  answer(requestId: string): StoredMessage | undefined {
    return this.#repository.answer(requestId);
  }

  /** Answers that have ended, of any session, newest first. */
  newestAnswers(limit: number): StoredMessage[] {
    return this.#repository.newestAnswers(limit);
  }

  /** Answers with a receipt, oldest first. @throws AppError `session_not_found` */
  receipts(sessionId: string, page: { limit: number; afterSeq: number }): StoredMessage[] {
    this.summary(sessionId);
    return this.#repository.receipts(sessionId, page);
  }

  requestOf(idempotencyKey: string): string | undefined {
    return this.#repository.requestOf(idempotencyKey);
  }

  /** @throws AppError `session_not_found` */
  async change(sessionId: string, change: SessionChange): Promise<void> {
    this.summary(sessionId);
    if (change.instructions) await this.#labelling?.label(sessionId, change.instructions, 'user');
    if (!(await this.#repository.change(sessionId, change, this.#clock.now()))) throw notFound(sessionId);
    this.#events.publish('SESSION_UPDATED', 'Session changed', { session_id: sessionId });
  }

  /** What the assistant is told in this conversation; '' where nothing is. */
  instructions(sessionId: string): string {
    return this.#repository.instructions(sessionId);
  }

  /** A title that says what the session is about, unless somebody named it. */
  async suggestTitle(sessionId: string, title: string): Promise<void> {
    if (await this.#repository.suggestTitle(sessionId, title))
      this.#events.publish('SESSION_UPDATED', 'Session named', { session_id: sessionId });
  }

  /** Whether nobody, person or model, has named it. */
  mayName(sessionId: string): boolean {
    return this.#repository.mayName(sessionId);
  }

  /** A model's title, unless somebody named it meanwhile; null keeps the one it has for good. */
  async nameByModel(sessionId: string, title: string | null): Promise<void> {
    if ((await this.#repository.nameByModel(sessionId, title)) && title !== null)
      this.#events.publish('SESSION_UPDATED', 'Session named', { session_id: sessionId });
  }

  /** What is older than its time; returns the sessions that are gone with it. */
  async removeOlderThan(createdBefore: number): Promise<string[]> {
    const { messages, sessionIds } = await this.#repository.removeOlderThan(createdBefore);
    if (messages > 0) this.#recent.clear();
    return sessionIds;
  }

  /** What else is to go in the same commit whenever a session goes; returns how many vectors did. */
  removeAlong(forget: (sessionId: string) => Promise<number>): void {
    this.#forget = forget;
  }

  /** Whether there was such a session. */
  async remove(sessionId: string): Promise<boolean> {
    return (await this.removeWhole(sessionId)).existed;
  }

  async removeWhole(sessionId: string): Promise<{ existed: boolean; vectors: number }> {
    const [existed, vectors] = await Promise.all([this.#repository.remove(sessionId), this.#forget(sessionId)]);
    this.#recent.forget(sessionId);
    if (existed) this.#events.publish('SESSION_UPDATED', 'Session removed', { session_id: sessionId, removed: true });
    return { existed, vectors };
  }

  /** Deletes the messages from `fromSeq` on; returns how many. @throws AppError `session_not_found` */
  async truncate(sessionId: string, fromSeq: number): Promise<number> {
    this.summary(sessionId);
    const removed = await this.#repository.truncate(sessionId, fromSeq);
    this.#recent.forget(sessionId);
    return removed;
  }

  flush(): void {
    this.#parts.flush();
  }
}

const taken = (sessionId: string) => new AppError('conflict', `There is a session ${sessionId} already.`);
const notFound = (sessionId: string) => new AppError('session_not_found', `There is no session ${sessionId}.`);
