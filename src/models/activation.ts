// Making a version the active one, as a transaction: everything is tried on the side, and traffic moves only when all of
// it has passed. The commit is one write of version rows; before it nothing has changed, after it everything has.
import { AppError } from '../shared/errors.js';
import type { ProbeReport } from './manifest.js';
import type { OperationContext } from './model-operation.js';
import type { ModelVersion, VersionRepository } from './ports.js';

/** What an activation asks of the world; the manager gathers it. */
export interface Candidate {
  modelName: string;
  runtime: string;
  /** Known from the catalogue or from an earlier activation; null where nobody knows. */
  expectedDigest: string | null;
  source: string | null;
  /** Hash of the file, or the engine's own digest. @throws AppError `invalid_model` when the file is damaged */
  check(signal: AbortSignal, onBytes: (done: number, total: number) => void): Promise<string | null>;
  /** @throws AppError `insufficient_memory`, `runtime_crashed`, `invalid_model` */
  load(signal: AbortSignal): Promise<void>;
  probe(signal: AbortSignal): Promise<ProbeReport>;
  estimateBytes(): Promise<number | null>;
  /** Moves the traffic; called once, after the commit. */
  switchTo(): void;
}

export interface ActivationOptions {
  versions: VersionRepository;
  now: () => number;
}

/** Above this share of the estimate a model is refused: it would push others out of memory. */
const MEMORY_TOLERANCE = 1.5;

export class Activation {
  readonly #options: ActivationOptions;
  #versions: ModelVersion[];

  constructor(options: ActivationOptions) {
    this.#options = options;
    this.#versions = options.versions.all();
  }

  /** Whoever answered last comes first: after the active one, the one there is a way back to. */
  versions(modelName?: string): ModelVersion[] {
    return this.#versions
      .filter((version) => modelName === undefined || version.modelName === modelName)
      .sort((a, b) => (b.activatedAt ?? b.createdAt) - (a.activatedAt ?? a.createdAt));
  }

  get active(): ModelVersion | undefined {
    return this.#versions.find(({ active }) => active);
  }

  /** Those that served before the active one, the last of them first. Whether they still can is not looked at here. */
  get formers(): ModelVersion[] {
    return this.#versions
      .filter(({ active, activatedAt }) => !active && activatedAt !== null)
      .sort((a, b) => (b.activatedAt ?? 0) - (a.activatedAt ?? 0));
  }

  /** @throws AppError `activation_failed` with the reason; the former version serves on */
  async run(candidate: Candidate, context: OperationContext): Promise<ModelVersion> {
    const { signal } = context;
    try {
      context.step('check', 'Checking the file');
      const digest = await checkedDigest(candidate, context);
      context.step('load', 'Loading');
      await candidate.load(signal);
      context.step('probe', 'Asking it a few questions');
      const report = await candidate.probe(signal);
      refuseUnfit(report, await candidate.estimateBytes());
      signal.throwIfAborted();
      context.step('switch', 'Switching');
      const version = this.#commit(candidate, digest, report);
      candidate.switchTo();
      return version;
    } catch (error) {
      if (signal.aborted) throw new AppError('cancelled', 'The activation was cancelled.', { cause: error });
      const cause = error instanceof AppError ? error : undefined;
      throw new AppError(
        'activation_failed',
        `${candidate.modelName} was not activated: ${cause?.message ?? 'it did not pass its checks.'}`,
        { cause: error, details: { reason: cause?.code ?? 'internal' } },
      );
    }
  }

  /** Without a trial: for a person who chooses by hand what already works. */
  adopt(modelName: string, runtime: string, digest: string | null, source: string | null): ModelVersion {
    const known = this.versions(modelName).find((version) => version.runtime === runtime);
    return this.#commit(
      { modelName, runtime, source: source ?? known?.source ?? null },
      digest ?? known?.digest ?? null,
      null,
    );
  }

  /** The hash of a version that was taken into use before anybody knew it. */
  identify(versionId: string, digest: string): void {
    const version = this.#versions.find((candidate) => candidate.versionId === versionId);
    if (!version || version.digest !== null) return;
    const identified = versionIdOf(version.runtime, version.modelName, digest);
    const known = this.#versions.find((candidate) => candidate.versionId === identified);
    const changed: ModelVersion = {
      ...version,
      versionId: identified,
      digest,
      createdAt: Math.min(version.createdAt, known?.createdAt ?? version.createdAt),
      pinned: version.pinned || known?.pinned === true,
      report: version.report ?? known?.report ?? null,
    };
    this.#options.versions.save([changed], [versionId]);
    this.#versions = [...this.#versions.filter((other) => other !== version && other !== known), changed];
  }

  /** @throws AppError `model_not_found` */
  pin(versionId: string, pinned: boolean): ModelVersion {
    const version = this.#versions.find((candidate) => candidate.versionId === versionId);
    if (!version) throw new AppError('model_not_found', `There is no version ${versionId}.`);
    const changed = { ...version, pinned };
    this.#options.versions.save([changed]);
    this.#versions = this.#versions.map((candidate) => (candidate === version ? changed : candidate));
    return changed;
  }

  #commit(
    { modelName, runtime, source }: Pick<Candidate, 'modelName' | 'runtime' | 'source'>,
    digest: string | null,
    report: ProbeReport | null,
  ): ModelVersion {
    const now = this.#options.now();
    const versionId = versionIdOf(runtime, modelName, digest);
    const known = this.#versions.find((version) => version.versionId === versionId);
    const version: ModelVersion = {
      ...(known ?? { versionId, modelName, runtime, digest, source, createdAt: now, pinned: false }),
      activatedAt: now,
      active: true,
      report: report ? { ...report } : (known?.report ?? null),
    };
    const others = this.#versions.filter((candidate) => candidate !== known);
    const rest = others.map((other) => (other.active ? { ...other, active: false } : other));
    this.#options.versions.save([version, ...rest.filter((other) => !others.includes(other))]);
    this.#versions = [...rest, version];
    return version;
  }
}

/** @throws AppError `hash_mismatch` when it is not what was installed, `invalid_model` when it is damaged */
export async function checkedDigest(
  { check, expectedDigest }: Pick<Candidate, 'check' | 'expectedDigest'>,
  { signal, progress }: Pick<OperationContext, 'signal' | 'progress'>,
): Promise<string | null> {
  const digest = await check(signal, (done, total) => progress(done, total));
  if (expectedDigest !== null && bare(digest) !== bare(expectedDigest))
    throw new AppError(
      'hash_mismatch',
      `The file has SHA-256 ${digest}, expected ${expectedDigest}; it is not the one that was installed.`,
    );
  return digest;
}

/** What a model must be able to do before it serves; what it merely could do better is only reported. */
function refuseUnfit(report: ProbeReport, estimateBytes: number | null): void {
  const answers = report.results.find(({ name }) => name === 'answers');
  if (answers?.status !== 'verified') throw new AppError('invalid_model', 'it did not answer.');
  if (report.memoryBytes !== null && estimateBytes !== null && report.memoryBytes > estimateBytes * MEMORY_TOLERANCE)
    throw new AppError(
      'insufficient_memory',
      `it takes ${megabytes(report.memoryBytes)} MB where ${megabytes(estimateBytes)} MB were estimated.`,
    );
}

const versionIdOf = (runtime: string, modelName: string, digest: string | null): string =>
  `${runtime}/${modelName}@${(digest ?? 'unknown').replace('sha256:', '').slice(0, 12)}`;

/** Engines write the kind of hash in front of it, files do not. */
const bare = (digest: string | null): string | undefined => digest?.replace('sha256:', '');

const megabytes = (bytes: number): number => Math.round(bytes / 1_048_576);
