// Conversations that begin with what was said elsewhere: in another one, up to some message, or in a file. What is sensitive
// stays so: labels come along, and every text is looked at again.
import type { SessionLabels } from '../../routing/ports.js';
import { AppError } from '../../shared/errors.js';
import { newRequestId } from '../../shared/request-id.js';
import type { BroughtMessage } from '../ports.js';
import type { SessionStore } from './session-store.js';

const READ_AT_ONCE = 100_000;
/** No trace and no task stands behind a copy; its requests say so by their names. */
const COPY = 'copy-';

export interface BroughtSession {
  sessionId: string;
  title: string;
  instructions: string;
  messages: readonly Omit<BroughtMessage, 'requestId'>[];
}

export class SessionCopies {
  readonly #sessions: SessionStore;
  readonly #labels: SessionLabels;

  constructor(sessions: SessionStore, labels: SessionLabels) {
    this.#sessions = sessions;
    this.#labels = labels;
  }

  /**
   * A copy of a conversation up to `upToSeq`, which it includes.
   * @throws AppError `session_not_found`, `invalid_input` where nothing is up to there, `conflict` where the name is taken
   */
  async branch(fromId: string, sessionId: string, upToSeq: number): Promise<void> {
    const { title } = this.#sessions.summary(fromId);
    const messages = this.#sessions
      .messages(fromId, { limit: READ_AT_ONCE, beforeSeq: upToSeq + 1 })
      .filter(({ status }) => status !== 'streaming');
    if (messages.length === 0)
      throw new AppError('invalid_input', `up_to_seq: no message of ${fromId} is at or before ${upToSeq}.`);
    // A label may come from a tool or the memory, where no text tells of it.
    this.#labels.add(sessionId, this.#labels.of(fromId));
    await this.bringIn({ sessionId, title, instructions: this.#sessions.instructions(fromId), messages });
  }

  /** @throws AppError `conflict` where the name is taken, `insufficient_storage` */
  async bringIn({ messages, ...session }: BroughtSession): Promise<void> {
    const labels = [...new Set(messages.flatMap((message) => message.labels ?? []))];
    if (labels.length > 0) this.#labels.add(session.sessionId, labels);
    await this.#sessions.bringIn({ ...session, messages: withRequests(messages) });
  }
}

/** A question and what follows it are one request. */
function withRequests(messages: readonly Omit<BroughtMessage, 'requestId'>[]): BroughtMessage[] {
  let requestId = '';
  return messages.map(({ role, content, status, model, error, usage, labels, receipt, thought, createdAt }) => {
    if (role === 'user' || requestId === '') requestId = `${COPY}${newRequestId()}`;
    return { requestId, role, content, status, model, error, usage, labels, receipt, thought, createdAt };
  });
}
