// A person's yes or no to one call. The question is on disk before anybody waits for its answer, so that it outlives the
// process; who waits does so for a bounded time.
import type { EventSink } from '../chat/ports.js';
import { AppError, toAppError } from '../shared/errors.js';
import { maySee, type Owner } from '../shared/owner.js';
import type { ToolCall, ToolDescriptor } from './ports.js';
import type { Approval, ApprovalDecision, ApprovalPage, SkillRepository } from './skill-ports.js';
import { WaitingAnswers } from './waiting-answers.js';

const MAX_WAITING = 200;
const LATEST_MS = 7 * 86_400_000;
const SHOWN_INPUT_CHARS = 4_000;

export interface ApprovalsParts {
  repository: SkillRepository;
  events: EventSink;
  now: () => number;
  newId: () => string;
  /** How long a call waits. */
  waitMs: number;
  /** Answered, and nobody in this process waits for it: its task ended with a former one. */
  onLateAnswer: (requestId: string) => void;
}

export type ApprovalAnswer = 'allowed' | 'denied' | 'expired';

export class Approvals {
  readonly #parts: ApprovalsParts;
  readonly #waiting = new WaitingAnswers<'allowed' | 'denied'>();

  constructor(parts: ApprovalsParts) {
    this.#parts = parts;
  }

  list(query: ApprovalPage): Approval[] {
    return this.#parts.repository.approvals(query);
  }

  /** @throws AppError `approval_not_found`, also for one of a conversation that is not the viewer's */
  get(id: string, viewer: Owner = null): Approval {
    const approval = this.#parts.repository.approval(id);
    if (!approval || !maySee(viewer, approval.owner))
      throw new AppError('approval_not_found', `There is no approval ${id}.`);
    return approval;
  }

  /** At start: what nobody can be waiting for any more is over; what a task can still be resumed for stays. */
  async recover(): Promise<number> {
    const { repository, now } = this.#parts;
    const old = repository
      .approvals({ state: 'waiting', limit: MAX_WAITING * 10 })
      .filter(({ requestId, createdAt }) => requestId === null || createdAt < now() - LATEST_MS);
    await Promise.all(old.map(({ id }) => repository.moveApproval(id, ['waiting'], { state: 'expired' })));
    return old.length;
  }

  /**
   * Resolves when the answer is on disk. `session` and `always` also hold for later calls of the same definition.
   * @throws AppError `approval_not_found`, `conflict` where it is answered already, `invalid_input`
   */
  async decide(id: string, decision: ApprovalDecision): Promise<Approval> {
    const { repository, events, now, onLateAnswer } = this.#parts;
    const approval = this.get(id);
    const { tool, hash, sessionId, requestId } = approval;
    if (decision === 'session' && sessionId === null)
      throw new AppError('invalid_input', 'The call belongs to no session; answer with once, always or deny.');
    const state = decision === 'deny' ? 'denied' : 'allowed';
    if (!(await repository.moveApproval(id, ['waiting'], { state, decision, decidedAt: now() })))
      throw new AppError('conflict', `Approval ${id} is ${this.get(id).state}.`);
    if (decision === 'session' || decision === 'always') {
      const scope = decision === 'session' ? sessionId : null;
      await repository.setOverride({ tool, sessionId: scope, permission: 'always', hash });
    }
    events.publish('SKILL_APPROVAL_DECIDED', `${tool}: ${decision}`, {
      approval_id: id,
      tool,
      decision,
      request_id: requestId,
      session_id: sessionId,
    });
    if (!this.#waiting.give(id, state) && requestId !== null) onLateAnswer(requestId);
    return this.get(id);
  }

  /**
   * Waits for somebody's answer, or takes the one that was given while nobody waited.
   * @throws AppError `queue_full`, or the signal's reason
   */
  async ask(
    tool: ToolDescriptor,
    call: ToolCall,
    reason: string,
    onWaiting: (approval: Approval, state: 'waits' | 'over') => void,
  ): Promise<ApprovalAnswer> {
    const { repository } = this.#parts;
    const input = JSON.stringify(call.input ?? {});
    const earlier =
      call.requestId === null
        ? undefined
        : repository
            .approvalsOf(call.requestId)
            .find(
              (each) =>
                each.tool === tool.name &&
                each.hash === tool.hash &&
                each.input === input &&
                (each.state === 'allowed' || each.state === 'denied' || each.state === 'waiting') &&
                !this.#waiting.has(each.id),
            );
    // The same question in the same turn was answered with no.
    if (earlier?.state === 'denied') return 'denied';
    if (earlier?.state === 'allowed' && (await this.#take(earlier.id))) return 'allowed';
    if (this.#waiting.size >= MAX_WAITING)
      throw new AppError('queue_full', `${MAX_WAITING} calls wait for an approval already.`);
    const approval = earlier?.state === 'waiting' ? earlier : this.#asked(tool, call, input, reason);
    const answered = this.#waiting.wait(approval.id, this.#parts.waitMs, call.signal);
    // Registered first: an answer may come as soon as it is on disk.
    try {
      if (approval !== earlier) await repository.addApproval(approval);
    } catch (error) {
      answered.forget();
      throw error;
    }
    onWaiting(approval, 'waits');
    this.#publish(approval);
    try {
      const answer = await answered.answer;
      if (answer === 'allowed') await this.#take(approval.id);
      if (answer !== undefined) return answer;
      // Answered in the same moment: the answer counts.
      if (await repository.moveApproval(approval.id, ['waiting'], { state: 'expired' })) return 'expired';
      return (await this.#take(approval.id)) ? 'allowed' : 'denied';
    } catch (stopped) {
      // With the process it waits on; with the person's Stop it is over.
      if (toAppError(stopped).code !== 'interrupted')
        await repository.moveApproval(approval.id, ['waiting'], { state: 'cancelled' });
      throw stopped;
    } finally {
      onWaiting(approval, 'over');
    }
  }

  #take(id: string): Promise<boolean> {
    return this.#parts.repository.moveApproval(id, ['allowed'], { state: 'used' });
  }

  #asked(tool: ToolDescriptor, call: ToolCall, input: string, reason: string): Approval {
    return {
      id: this.#parts.newId(),
      owner: call.owner,
      tool: tool.name,
      title: tool.title,
      hash: tool.hash,
      input,
      reason,
      readOnly: tool.readOnly,
      egress: tool.egress,
      labels: call.labels,
      sessionId: call.sessionId,
      requestId: call.requestId,
      state: 'waiting',
      decision: null,
      createdAt: this.#parts.now(),
      decidedAt: null,
    };
  }

  #publish(approval: Approval): void {
    const { tool: name, title } = approval;
    const called = title === name ? name : `${title} (${name})`;
    this.#parts.events.publish('SKILL_APPROVAL_REQUESTED', `${called} waits for you.`, {
      approval_id: approval.id,
      tool: approval.tool,
      title: approval.title,
      arguments: approval.input.slice(0, SHOWN_INPUT_CHARS),
      reason: approval.reason,
      read_only: approval.readOnly,
      egress: approval.egress,
      request_id: approval.requestId,
      session_id: approval.sessionId,
    });
  }
}
