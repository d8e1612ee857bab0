// What a tool asks the person while it works. A question is on disk before anybody waits for its answer, so that both outlive
// the process: an answer given meanwhile is used when the call is made again and asks the same.
import { createHash } from 'node:crypto';
import type { EventSink } from '../chat/ports.js';
import { AppError, toAppError } from '../shared/errors.js';
import { maySee, type Owner } from '../shared/owner.js';
import type { ToolCall, ToolDescriptor } from './ports.js';
import { answerProblems } from './question-answer.js';
import type { Question, QuestionPage, QuestionRepository, ToolAnswer, ToolQuestion } from './question-ports.js';
import { WaitingAnswers } from './waiting-answers.js';

const MAX_WAITING = 200;
/** Of one turn, answered ones too: a tool in a loop is not the person's work. */
const MAX_OF_TURN = 20;
const LATEST_MS = 7 * 86_400_000;
const SHOWN_CHARS = 200;

export interface QuestionsParts {
  repository: QuestionRepository;
  events: EventSink;
  now: () => number;
  newId: () => string;
  /** Whether the turn may still be made again, such as that of a task which the end of a process interrupted. */
  canResume: (requestId: string) => boolean;
  /** Answered, and nobody in this process waits for it: its task ended with a former one. */
  onLateAnswer: (requestId: string) => void;
}

export interface AskOptions {
  /** For an answer to this one. */
  waitMs: number;
  /** Of the call, or of whatever else makes the answer useless. */
  signal: AbortSignal;
  onWaiting: (question: Question, state: 'waits' | 'over') => void;
}

/** As the person gives it. */
export interface GivenAnswer {
  action: ToolAnswer['action'];
  content?: Readonly<Record<string, unknown>> | undefined;
}

export class Questions {
  readonly #parts: QuestionsParts;
  readonly #waiting = new WaitingAnswers<ToolAnswer>();

  constructor(parts: QuestionsParts) {
    this.#parts = parts;
  }

  list(query: QuestionPage): Question[] {
    return this.#parts.repository.list(query);
  }

  /** @throws AppError `question_not_found`, also for one of a conversation that is not the viewer's */
  get(id: string, viewer: Owner = null): Question {
    const question = this.#parts.repository.get(id);
    if (!question || !maySee(viewer, question.owner))
      throw new AppError('question_not_found', `There is no question ${id}.`);
    return question;
  }

  /** At start: what nobody can be waiting for any more is over; what a task can still be resumed for stays. */
  async recover(): Promise<number> {
    const { repository, now, canResume } = this.#parts;
    const over = (['waiting', 'answered'] as const)
      .flatMap((state) => repository.list({ state, limit: MAX_WAITING * 10 }))
      .filter(({ requestId, createdAt }) => createdAt < now() - LATEST_MS || !canResume(requestId));
    await Promise.all(over.map(({ id, state }) => repository.move(id, [state], { state: 'expired' })));
    return over.length;
  }

  /**
   * Resolves when the answer is on disk.
   * @throws AppError `question_not_found`, `invalid_answer` with the fields, `conflict` where it is answered already
   */
  async answer(id: string, given: GivenAnswer, viewer: Owner = null): Promise<Question> {
    const { repository, events, now, onLateAnswer } = this.#parts;
    const asked = this.get(id, viewer);
    const answer = toAnswer(asked.question, given);
    const { tool, requestId, sessionId } = asked;
    if (!(await repository.move(id, ['waiting'], { state: 'answered', answer, answeredAt: now() })))
      throw new AppError('conflict', `Question ${id} is ${this.get(id).state}.`);
    events.publish('SKILL_QUESTION_ANSWERED', `${tool}: ${answer.action}`, {
      question_id: id,
      tool,
      action: answer.action,
      request_id: requestId,
      session_id: sessionId,
    });
    if (!this.#waiting.give(id, answer)) onLateAnswer(requestId);
    return this.get(id);
  }

  /**
   * Waits for the person's answer, or takes the one that was given while nobody waited. Where nobody answers in time it is
   * cancelled.
   * @throws AppError `queue_full`, or the signal's reason
   */
  async ask(
    tool: ToolDescriptor,
    call: ToolCall & { requestId: string },
    question: ToolQuestion,
    { waitMs, signal, onWaiting }: AskOptions,
  ): Promise<ToolAnswer> {
    const { repository } = this.#parts;
    const hash = hashOf(tool, question);
    const former = repository.ofRequest(call.requestId);
    const earlier = former.find(
      (each) =>
        each.hash === hash && (each.state === 'waiting' || each.state === 'answered') && !this.#waiting.has(each.id),
    );
    if (earlier?.answer && (await repository.move(earlier.id, ['answered'], { state: 'used' }))) return earlier.answer;
    if (earlier?.state !== 'waiting' && former.length >= MAX_OF_TURN)
      throw new AppError('queue_full', `${tool.name} asked more than ${MAX_OF_TURN} times in one turn.`);
    if (this.#waiting.size >= MAX_WAITING)
      throw new AppError('queue_full', `${MAX_WAITING} questions wait for an answer already.`);
    const asked = earlier?.state === 'waiting' ? earlier : this.#asked(tool, call, question, hash);
    // Registered first: an answer may come as soon as it is on disk.
    const answered = this.#waiting.wait(asked.id, waitMs, signal);
    try {
      if (asked !== earlier) await repository.add(asked);
    } catch (error) {
      answered.forget();
      throw error;
    }
    onWaiting(asked, 'waits');
    this.#publish(asked);
    try {
      const answer = await answered.answer;
      if (answer === undefined && (await repository.move(asked.id, ['waiting'], { state: 'expired' })))
        return { action: 'cancel' };
      // Answered in the same moment: the answer counts.
      const given = answer ?? this.get(asked.id).answer ?? { action: 'cancel' };
      await repository.move(asked.id, ['answered'], { state: 'used' });
      return given;
    } catch (stopped) {
      // With the process it waits on; with the person's Stop, or where the tool itself waits no longer, it is over.
      if (toAppError(stopped).code !== 'interrupted')
        await repository.move(asked.id, ['waiting', 'answered'], { state: 'cancelled' });
      throw stopped;
    } finally {
      onWaiting(asked, 'over');
      this.#parts.events.publish('SKILL_QUESTION_OVER', `${tool.name} waits no longer.`, {
        question_id: asked.id,
        tool: tool.name,
        request_id: call.requestId,
        session_id: call.sessionId,
      });
    }
  }

  #asked(tool: ToolDescriptor, call: ToolCall & { requestId: string }, question: ToolQuestion, hash: string): Question {
    const { kind, id, title } = tool.source;
    return {
      id: this.#parts.newId(),
      owner: call.owner,
      tool: tool.name,
      title: tool.title,
      server: kind === 'mcp' ? (title ?? id) : null,
      hash,
      question,
      sessionId: call.sessionId,
      requestId: call.requestId,
      state: 'waiting',
      action: null,
      answer: null,
      createdAt: this.#parts.now(),
      answeredAt: null,
    };
  }

  #publish({ id, tool, title, server, question, requestId, sessionId }: Question): void {
    this.#parts.events.publish('SKILL_QUESTION_ASKED', `${server ?? title} asks you something.`, {
      question_id: id,
      tool,
      title,
      server,
      kind: question.kind,
      message: question.message.slice(0, SHOWN_CHARS),
      request_id: requestId,
      session_id: sessionId,
    });
  }
}

/** The same question again is asked by the same definition, in the same words, for the same things. */
const hashOf = (tool: ToolDescriptor, question: ToolQuestion): string =>
  createHash('sha256')
    .update(JSON.stringify([tool.name, tool.hash, question]))
    .digest('hex');

function toAnswer(question: ToolQuestion, { action, content = {} }: GivenAnswer): ToolAnswer {
  if (action !== 'accept') return { action };
  const fields = question.kind === 'form' ? question.fields : [];
  const problems = answerProblems(fields, content);
  if (problems.size > 0)
    throw new AppError('invalid_answer', `The answer does not fit: ${[...problems.keys()].slice(0, 5).join(', ')}.`, {
      details: { fields: Object.fromEntries(problems) },
    });
  return { action, content: content as Extract<ToolAnswer, { action: 'accept' }>['content'] };
}
