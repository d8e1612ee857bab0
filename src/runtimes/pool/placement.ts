// Placing one request: a member is chosen, tried, and left for another one while nothing of an answer has come.
import { AppError } from '../../shared/errors.js';
import type { PoolPlacement } from '../runtime.js';
import { Affinity, type AffinityKeys } from './affinity.js';
import { chooseMember } from './choose-member.js';
import { watchFirstByte } from './first-byte-watch.js';
import { judgeFailure } from './judge-failure.js';
import type { Member } from './member.js';

export interface Placed<T> {
  member: Member;
  reason: string;
  leave: () => void;
  value: T;
}

export class Placement {
  readonly #provider: string;
  readonly #members: readonly Member[];
  readonly #patienceMs: number;
  readonly #affinity = new Affinity();
  readonly #counts = { session: 0, prefix: 0, leastLoaded: 0, movedOn: 0 };

  constructor(provider: string, members: readonly Member[], patienceMs: number) {
    this.#provider = provider;
    this.#members = members;
    this.#patienceMs = patienceMs;
  }

  get counts(): PoolPlacement {
    return { ...this.#counts };
  }

  /**
   * The first member that gives something; `attempt` resolves with it, and its signal ends the attempt.
   * @throws AppError of the last member that was tried, or of the request itself
   */
  async place<T>(
    model: string,
    keys: AffinityKeys,
    signal: AbortSignal | undefined,
    attempt: (member: Member, signal: AbortSignal) => Promise<T>,
  ): Promise<Placed<T>> {
    const tried = new Set<string>();
    let last: AppError | undefined;
    for (;;) {
      for (const member of this.#members) member.refreshLoad();
      const choice = chooseMember({
        members: this.#members.map((member) => member.facts(model)),
        ...this.#affinity.recall(keys),
        tried,
      });
      const member = choice.kind === 'member' ? this.#members.find(({ id }) => id === choice.id) : undefined;
      if (choice.kind === 'none' || !member) throw last ?? this.nobody();
      const leave = member.enter();
      const hang = new AbortController();
      const endWatch = watchFirstByte({
        patienceMs: this.#patienceMs,
        probe: () => member.answers(),
        onHang: () => hang.abort(new AppError('upstream_timeout', `${member.id} hangs: it answers nothing at all.`)),
      });
      try {
        const value = await attempt(member, signal ? AbortSignal.any([signal, hang.signal]) : hang.signal);
        member.succeeded();
        this.#affinity.remember(keys, member.id);
        if (choice.reason === 'session' || choice.reason === 'prefix') this.#counts[choice.reason] += 1;
        else this.#counts.leastLoaded += 1;
        return { member, reason: choice.reason, leave, value };
      } catch (thrown) {
        leave();
        // Whatever words the stopped call has for it.
        const hung = hang.signal.aborted && !signal?.aborted;
        const { kind, error } = judgeFailure(hung ? hang.signal.reason : thrown);
        member.failed(kind, error);
        if (kind === 'question' || signal?.aborted) throw error;
        tried.add(member.id);
        last = error;
        this.#counts.movedOn += 1;
      } finally {
        endWatch();
      }
    }
  }

  nobody(): AppError {
    const reasons = this.#members.flatMap(({ snapshot }) => (snapshot.lastError ? [snapshot.lastError] : []));
    return new AppError('provider_unavailable', `No ${this.#provider} server answers. ${reasons.join(' ')}`.trim());
  }
}
