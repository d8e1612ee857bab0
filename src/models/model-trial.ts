// One installed model on trial: its file checked, its weights loaded, a few questions asked, and what came of it recorded.
// Whether it serves afterwards is decided elsewhere.
import type { Runtime, RuntimeModel } from '../runtimes/runtime.js';
import { AppError } from '../shared/errors.js';
import { type Ability, declaredAbility } from './abilities.js';
import type { Candidate } from './activation.js';
import type { InstalledModel } from './installed-models.js';
import { DEFAULT_CAPABILITIES, type ModelManifest, type ProbeReport } from './manifest.js';
import type { ModelRegistry } from './model-registry.js';
import type { FileDigests } from './ports.js';
import { type AskInTurn, probeModel } from './probe-suite.js';
import type { QuietMoments } from './quiet-moments.js';

export interface ModelTrialsOptions {
  registry: () => ModelRegistry;
  digests: FileDigests;
  /** What loading a model is estimated to take; null where nobody can tell. */
  estimateBytes: (path: string) => Promise<number | null>;
  quiet: QuietMoments;
  now: () => number;
}

export class ModelTrials {
  readonly #options: ModelTrialsOptions;

  constructor(options: ModelTrialsOptions) {
    this.#options = options;
  }

  /** What an activation needs; its answers are traffic that somebody waits for. */
  candidate(found: InstalledModel, switchTo: () => void): Candidate {
    const { runtime, model } = found;
    const { registry, digests, estimateBytes } = this.#options;
    const manifest = registry().manifest(model.name, runtime.provider);
    return {
      modelName: model.name,
      runtime: runtime.provider,
      expectedDigest: model.path ? (manifest?.sha256 ?? null) : null,
      source: manifest?.source ?? null,
      check: async (signal, onBytes) => {
        if (model.problem) throw new AppError('invalid_model', model.problem);
        if (!model.path || model.format !== 'gguf') return model.digest;
        return digests.sha256(model.path, onBytes, signal);
      },
      load: async (signal) => runtime.load?.(model.name, signal),
      probe: (signal) => this.#probe(found, signal),
      estimateBytes: async () => (model.path && model.format === 'gguf' ? estimateBytes(model.path) : null),
      switchTo,
    };
  }

  /** Somebody waits for it. @throws as the engine's load does, and when it does not answer at all */
  async now(found: InstalledModel, signal: AbortSignal): Promise<ProbeReport> {
    await found.runtime.load?.(found.model.name, signal);
    return this.#probe(found, signal);
  }

  /**
   * Nobody waits for it: question by question in quiet moments, and no model leaves memory for it. Weights that are there
   * only because of it go again.
   * @throws AppError `insufficient_memory` where another model would have to go, and as `now` does
   */
  async quietly(found: InstalledModel, signal: AbortSignal): Promise<ProbeReport> {
    const { runtime, model } = found;
    const { quiet } = this.#options;
    const wasLoaded = await isLoaded(runtime, model.name, signal);
    const stop = new AbortController();
    const until = AbortSignal.any([signal, stop.signal]);
    let disturbed = false;
    const inTurn: AskInTurn = (question) => {
      let tries = 0;
      return quiet.run(async (turn) => {
        tries += 1;
        disturbed ||= tries > 1;
        // Asked before every question: while it waited for its turn the weights may have gone for somebody else's.
        try {
          await runtime.load?.(model.name, turn, { evict: false });
        } catch (error) {
          if (!turn.aborted) stop.abort(error);
          throw error;
        }
        return question(turn);
      }, until);
    };
    try {
      return await this.#probe(found, until, inTurn);
    } finally {
      // Whoever came in between may have asked this very model, and may do so again.
      if (!wasLoaded && !disturbed) await runtime.unload?.(model.name, AbortSignal.timeout(UNLOAD_MS)).catch(() => {});
    }
  }

  async #probe(found: InstalledModel, signal: AbortSignal, inTurn?: AskInTurn): Promise<ProbeReport> {
    const questionMs = inTurn ? QUESTION_MS.quiet : QUESTION_MS.now;
    const { runtime, model } = found;
    const description = (await runtime.describeModel?.(model.name, signal).catch(() => null)) ?? null;
    const has = (ability: Ability) => declaredAbility(runtime.provider, description?.capabilities ?? null, ability);
    const report = await probeModel(
      runtime.languageModel(model.name),
      {
        runtime: runtime.provider,
        runtimeVersion: async () => (await runtime.version?.(signal).catch(() => null)) ?? null,
        declared: {
          vision: has('vision'),
          thinking: has('thinking'),
          contextLength: description?.contextLength ?? null,
        },
        memory: async () => {
          const loaded = (await runtime.loaded?.(signal).catch(() => []))?.find(({ name }) => name === model.name);
          return { bytes: loaded?.sizeBytes ?? null, contextLength: loaded?.contextLength ?? null };
        },
        questionMs,
        now: this.#options.now,
      },
      signal,
      inTurn,
    );
    this.#record(found, report, description?.contextLength ?? null);
    return report;
  }

  #record({ runtime, model }: InstalledModel, report: ProbeReport, contextLength: number | null): void {
    const registry = this.#options.registry();
    const manifest = registry.manifest(model.name, runtime.provider) ?? localManifest(model, runtime.provider);
    const passed = (probe: string) =>
      report.results.some(({ name, status }) => name === probe && status === 'verified');
    registry.record({
      ...manifest,
      sizeBytes: model.sizeBytes,
      probe: report,
      capabilities: {
        ...manifest.capabilities,
        supportsSystemRole: passed('system_role'),
        // A forced call says how the engine holds a model to it; agents leave it to the model whether it calls.
        supportsFunctionCalling: passed('tool_call'),
        maxContextLength: contextLength ?? manifest.capabilities.maxContextLength,
        quantization: model.quantization,
      },
    });
  }
}

const UNLOAD_MS = 30_000;
/** Where nobody waits, a busy machine may take its time. */
const QUESTION_MS = { now: 30_000, quiet: 120_000 };

async function isLoaded(runtime: Runtime, name: string, signal: AbortSignal): Promise<boolean> {
  return (await runtime.loaded?.(signal))?.some((loaded) => loaded.name === name) ?? true;
}

/** Of a model that no installation of ours has brought. */
export function localManifest(model: RuntimeModel, runtime: string): ModelManifest {
  return {
    name: model.name,
    provider: runtime === 'ollama' ? 'ollama' : 'local',
    displayName: model.name.split('/').at(-1) ?? model.name,
    sizeBytes: model.sizeBytes,
    status: 'installed',
    capabilities: { ...DEFAULT_CAPABILITIES, quantization: model.quantization },
    localPath: model.path,
    sha256: null,
    installedAt: null,
    runtime,
    source: null,
    licence: null,
    owned: model.path !== null,
    probe: null,
  };
}
