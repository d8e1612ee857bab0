// EndpointPool: several servers of one provider as one engine. Each request goes to one of them; it moves on to another
// only while nothing of its answer has been given away.
import { once } from 'node:events';
import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { AppError, toAppError } from '../../shared/errors.js';
import { waitAtMost } from '../../shared/wait-at-most.js';
import { BatchLanguageModel } from '../batch-language-model.js';
import type {
  EmbedInput,
  EmbedTreatment,
  ForwardedAnswer,
  LoadedModelInfo,
  ModelDescription,
  PoolMember,
  PoolPlacement,
  Runtime,
  RuntimeHealth,
  RuntimeModel,
} from '../runtime.js';
import { type AffinityKeys, affinityKeys, promptMessages } from './affinity.js';
import { judgeFailure, judgeStatus } from './judge-failure.js';
import { Member, type MemberRuntime, plain } from './member.js';
import { type Placed, Placement } from './placement.js';

/** A page is not kept waiting by one member that hangs. */
const LIST_WITHIN_MS = 1_000;
const NO_AFFINITY: AffinityKeys = { session: undefined, prefixes: [] };

export interface EndpointPoolOptions {
  /** At least one; of one provider. The first one's address names the pool. */
  members: readonly MemberRuntime[];
  backOffMs?: number;
  /** How long a first byte is waited for before the server is asked whether it is well. */
  patienceMs?: number;
  now?: () => number;
}

export class EndpointPool implements Runtime {
  readonly provider: string;
  readonly endpoint: string;
  readonly #members: readonly Member[];
  readonly #placement: Placement;
  // Only what its members can.
  load?: NonNullable<Runtime['load']>;
  roomFor?: NonNullable<Runtime['roomFor']>;
  unload?: NonNullable<Runtime['unload']>;
  loaded?: NonNullable<Runtime['loaded']>;
  countTokens?: NonNullable<Runtime['countTokens']>;
  adaptParams?: NonNullable<Runtime['adaptParams']>;

  constructor({ members, backOffMs = 1_000, patienceMs = 5_000, now = Date.now }: EndpointPoolOptions) {
    const [first] = members;
    if (!first) throw new AppError('invalid_settings', 'A pool needs at least one address.');
    this.provider = first.provider;
    this.endpoint = first.endpoint;
    this.#members = members.map((runtime) => new Member(runtime, { backOffMs, now }));
    this.#placement = new Placement(this.provider, this.#members, patienceMs);
    if (first.load) this.load = (model, signal, treatment) => this.#load(model, signal, treatment);
    if (first.roomFor) this.roomFor = (model, signal) => this.#roomFor(model, signal);
    if (first.unload) this.unload = (model, signal) => this.#unload(model, signal);
    if (first.loaded) this.loaded = (signal) => this.#loaded(signal);
    // Members are of one kind, so what one of them does to parameters all do.
    if (first.adaptParams) this.adaptParams = first.adaptParams.bind(first);
    if (first.countTokens) this.countTokens = (model, text, signal) => this.#countTokens(model, text, signal);
  }

  pool(): { members: readonly PoolMember[]; placement: PoolPlacement } {
    return { members: this.#members.map(({ snapshot }) => snapshot), placement: this.#placement.counts };
  }

  languageModel(modelName: string): LanguageModelV4 {
    return new BatchLanguageModel(this.provider, modelName, (options) => this.streamBatches(modelName, options));
  }

  /** The first part is waited for, because until then another member can take over unseen. */
  async streamBatches(
    modelName: string,
    options: LanguageModelV4CallOptions,
  ): Promise<AsyncIterable<readonly LanguageModelV4StreamPart[]>> {
    const session = options.providerOptions?.['venom']?.['sessionId'];
    const keys = affinityKeys(
      modelName,
      typeof session === 'string' ? session : undefined,
      promptMessages(options.prompt),
    );
    const { abortSignal } = options;
    const placed = await this.#placement.place(modelName, keys, abortSignal, async ({ runtime }, signal) => {
      const batches = await runtime.streamBatches(modelName, { ...options, abortSignal: signal });
      const rest = batches[Symbol.asyncIterator]();
      for (;;) {
        const first = await rest.next();
        if (first.done || first.value.length > 0) return { first, rest };
      }
    });
    // A caller that stops before it reads would never come to the end of it.
    abortSignal?.addEventListener('abort', placed.leave, { once: true });
    return parts(placed, () => abortSignal?.removeEventListener('abort', placed.leave));
  }

  async forward(path: string, body: Record<string, unknown>, signal: AbortSignal): Promise<ForwardedAnswer> {
    const model = String(body['model'] ?? '');
    const cacheKey = body['prompt_cache_key'] ?? body['user'];
    const messages = Array.isArray(body['messages']) ? (body['messages'] as unknown[]) : [];
    const keys = affinityKeys(
      model,
      typeof cacheKey === 'string' ? cacheKey : undefined,
      messages.map((message) => {
        const { role, content } = (message ?? {}) as { role?: unknown; content?: unknown };
        return { role: String(role), text: typeof content === 'string' ? content : JSON.stringify(content ?? '') };
      }),
    );
    let refused: ForwardedAnswer | undefined;
    try {
      const { value, leave } = await this.#placement.place(model, keys, signal, async ({ runtime }, attemptSignal) => {
        const answer = await runtime.forward(path, body, attemptSignal);
        if (answer.status < 400) {
          await firstByte(answer, runtime.endpoint);
          return answer;
        }
        if (judgeStatus(answer.status) === 'question') return answer;
        letGo(refused);
        refused = answer;
        throw new AppError('upstream_rejected', `${runtime.endpoint} answered HTTP ${answer.status}.`, {
          details: { status: answer.status },
        });
      });
      letGo(refused);
      value.body.once('close', leave);
      return value;
    } catch (error) {
      // Every member refused: the client gets what the last one said, word for word.
      if (refused && toAppError(error).code === 'upstream_rejected') return refused;
      letGo(refused);
      throw error;
    }
  }

  async listModels(signal?: AbortSignal): Promise<RuntimeModel[]> {
    const asked = this.#members.filter(({ excluded, models }) => !excluded || models === undefined);
    const asking = Promise.allSettled(asked.map((member) => member.listModels(signal)));
    const known = () => this.#members.some(({ models }) => models !== undefined);
    await waitAtMost(asking, LIST_WITHIN_MS);
    if (!known()) await asking;
    if (!known() || this.#members.every(({ excluded }) => excluded)) {
      const failure = (await asking).find((answer) => answer.status === 'rejected');
      throw failure ? failure.reason : this.#placement.nobody();
    }
    const byName = new Map<string, { model: RuntimeModel; endpoints: string[] }>();
    for (const member of this.#members) {
      for (const model of member.models ?? []) {
        const found = byName.get(model.name);
        if (found) found.endpoints.push(member.id);
        else byName.set(model.name, { model, endpoints: [member.id] });
      }
    }
    return [...byName.values()].map(({ model, endpoints }) => ({ ...model, endpoints }));
  }

  async health(signal?: AbortSignal): Promise<RuntimeHealth> {
    const all = await Promise.all(
      this.#members.map(async (member) => ({ member, health: await member.runtime.health(signal) })),
    );
    const well = all.filter(({ health }) => health.state !== 'offline');
    const away = all.find(({ health }) => health.state === 'offline');
    const latencies = well.flatMap(({ health }) => (health.latencyMs === null ? [] : [health.latencyMs]));
    return {
      state: well.length === 0 ? 'offline' : well.length < all.length ? 'degraded' : 'online',
      latencyMs: latencies.length > 0 ? Math.min(...latencies) : null,
      error: away
        ? `${all.length - well.length} of ${all.length} members do not answer: ${away.health.error ?? away.member.id}`
        : null,
      details: {
        members: all.map(({ member: { snapshot }, health }) => ({
          endpoint: snapshot.endpoint,
          health: health.state,
          state: snapshot.state,
          in_flight: snapshot.inFlight,
          latency_ms: health.latencyMs,
          error: health.error,
          ...health.details,
        })),
      },
    };
  }

  async embed(
    modelName: string,
    inputs: readonly EmbedInput[],
    signal?: AbortSignal,
    treatment?: EmbedTreatment,
  ): Promise<{ vectors: number[][]; tokens: number }> {
    const { value, leave } = await this.#placement.place(modelName, NO_AFFINITY, signal, ({ runtime }, attemptSignal) =>
      runtime.embed(modelName, inputs, attemptSignal, treatment),
    );
    leave();
    return value;
  }

  async describeModel(modelName: string, signal?: AbortSignal): Promise<ModelDescription | null> {
    return this.#ask(modelName, async ({ runtime }) => (await runtime.describeModel?.(modelName, signal)) ?? null);
  }

  async version(signal?: AbortSignal): Promise<string | null> {
    return this.#ask('', async ({ runtime }) => (await runtime.version?.(signal)) ?? null);
  }

  /** On every member what is loaded because of us. @throws AppError `provider_unavailable` that names who did not do it */
  async unloadAll(): Promise<void> {
    await this.#everywhere(this.#members, ({ runtime }) => runtime.unloadAll());
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#members.map((member) => member.close()));
  }

  /** The first answer that is one, of the members that may know. */
  async #ask<T>(model: string, question: (member: Member) => Promise<T | null>): Promise<T | null> {
    const ordered = this.#members.toSorted((a, b) => rank(a, model) - rank(b, model));
    let failure: unknown;
    for (const member of ordered.filter(({ excluded }) => !excluded)) {
      try {
        const answer = await question(member);
        if (answer !== null) return answer;
      } catch (error) {
        failure = error;
      }
    }
    if (failure) throw failure;
    return null;
  }

  async #countTokens(model: string, text: string, signal?: AbortSignal): Promise<number | null> {
    return this.#ask(model, async ({ runtime }) => (await runtime.countTokens?.(model, text, signal)) ?? null);
  }

  async #loaded(signal?: AbortSignal): Promise<LoadedModelInfo[]> {
    const answers = await Promise.allSettled(this.#members.map((member) => loadedOn(member, signal)));
    const failure = answers.find((answer) => answer.status === 'rejected');
    if (failure && answers.every(({ status }) => status === 'rejected')) throw failure.reason;
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  }

  async #load(model: string, signal?: AbortSignal, treatment?: { evict?: boolean }): Promise<void> {
    const { leave } = await this.#placement.place(model, NO_AFFINITY, signal, async ({ runtime }, attemptSignal) =>
      runtime.load?.(model, attemptSignal, treatment),
    );
    leave();
  }

  /** On every member that may be asked for it, because nobody knows beforehand which one will be. */
  async #roomFor(model: string, signal?: AbortSignal): Promise<boolean> {
    const serving = this.#members.filter((member) => !member.excluded && member.facts(model).hasModel !== false);
    const rooms = await Promise.all(
      serving.map(async ({ runtime }) => (await runtime.roomFor?.(model, signal)) ?? true),
    );
    return serving.length > 0 && rooms.every(Boolean);
  }

  /** On every member that holds it. */
  async #unload(model: string, signal?: AbortSignal): Promise<void> {
    await this.#everywhere(this.#members, async (member) => {
      const holds = (await loadedOn(member, signal)).some(({ name }) => plain(name) === plain(model));
      if (holds) await member.runtime.unload?.(model, signal);
    });
  }

  /** All of them are asked, whatever one of them says. */
  async #everywhere(members: readonly Member[], act: (member: Member) => Promise<void>): Promise<void> {
    const answers = await Promise.allSettled(members.map(act));
    const failures = answers.flatMap((answer, index) =>
      answer.status === 'rejected' ? [{ id: members[index]?.id, error: toAppError(answer.reason) }] : [],
    );
    const [first] = failures;
    if (!first) return;
    if (failures.length === members.length && members.length === 1) throw first.error;
    throw new AppError(
      'provider_unavailable',
      `${failures.length} of ${members.length} servers did not do it: ${failures.map(({ id, error }) => `${id}: ${error.message}`).join(' ')}`,
      { cause: first.error },
    );
  }
}

async function loadedOn(member: Member, signal?: AbortSignal): Promise<LoadedModelInfo[]> {
  const models = (await member.runtime.loaded?.(signal)) ?? [];
  return models.map((model) => ({ ...model, endpoint: member.id }));
}

const rank = (member: Member, model: string): number => (member.facts(model).hasModel ? 0 : 1);

/** Destroying a body is an error to whoever reads it, and nobody does. */
function letGo(answer: ForwardedAnswer | undefined): void {
  answer?.body.on('error', () => {}).destroy();
}

/** Waits until something of the body is there. @throws AppError `upstream_reset` when it broke off before */
async function firstByte({ body }: ForwardedAnswer, endpoint: string): Promise<void> {
  if (body.readableLength > 0 || body.readableEnded) return;
  try {
    await Promise.race([once(body, 'readable'), once(body, 'end')]);
  } catch (cause) {
    throw new AppError('upstream_reset', `${endpoint} broke off before it answered.`, { cause });
  }
}

async function* parts(
  {
    member,
    reason,
    leave,
    value,
  }: Placed<{
    first: IteratorResult<readonly LanguageModelV4StreamPart[]>;
    rest: AsyncIterator<readonly LanguageModelV4StreamPart[]>;
  }>,
  ended: () => void,
): AsyncGenerator<readonly LanguageModelV4StreamPart[]> {
  const { first, rest } = value;
  try {
    yield [{ type: 'raw', rawValue: { servedBy: member.id, placedBy: reason } }];
    for (let next = first; !next.done; next = await rest.next()) yield next.value;
  } catch (thrown) {
    const { kind, error } = judgeFailure(thrown);
    member.failed(kind, error);
    throw error;
  } finally {
    leave();
    ended();
    await rest.return?.();
  }
}
