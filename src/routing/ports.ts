// What routing/ needs from outside. No I/O and no vendor's words in this file.
import type { LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import type { ChatTarget } from '../chat/turn-ports.js';
import type { CloudProvider } from './policy.js';
import type { SensitivityOptions } from './sensitivity.js';

export type StreamBatches = AsyncIterable<readonly LanguageModelV4StreamPart[]>;

/** The engines in the house. */
export interface LocalEngines {
  /** @throws AppError `no_model`, `model_not_found` */
  target(model: string | undefined): Promise<ChatTarget>;
  /** Whether an engine lists a model of this name. */
  knows(model: string): Promise<boolean>;
  /** What was activated by hand in place of a local engine. */
  activeCloud(): { provider: CloudProvider; model: string } | null;
}

/** What went over the wire for one call, counted where it happens. */
export interface WireMeter {
  bytesSent: number;
  bytesReceived: number;
}

export interface CloudCall {
  provider: CloudProvider;
  model: string;
  options: LanguageModelV4CallOptions;
  /** Labels that masking has not dealt with. With any of them the gate stays shut. */
  labels: readonly string[];
  meter: WireMeter;
}

/** The one door to the clouds. It looks at what passes by itself, whoever sends it. */
export interface CloudExit {
  hasKey(provider: CloudProvider): boolean;
  /** Null where none is configured. */
  endpoint(provider: CloudProvider): string | null;
  /** The provider a model's name belongs to, by the name alone. */
  providerOf(model: string): { provider: CloudProvider; model: string } | null;
  /**
   * @throws AppError `sensitive_blocked` before a connection is opened; `upstream_*` with `details.status` and
   * `details.retryAfterMs` where the provider named them
   */
  stream(call: CloudCall): Promise<StreamBatches>;
}

/** Labels that stick to a session. */
export interface SessionLabels {
  of(sessionId: string): readonly string[];
  /** On disk no later than what is committed after this call. */
  add(sessionId: string, labels: readonly string[]): void;
}

/** Labels that somebody took off a session. */
export interface LabelRelease {
  labels: readonly string[];
  reason: string;
  /** Milliseconds since the epoch, UTC. */
  at: number;
}

export interface LabelReleases {
  /** On disk when it returns, together with the labels' end; what was condensed from the labelled texts goes too. */
  release(sessionId: string, release: LabelRelease): void;
  /** Oldest first. */
  releases(sessionId: string): LabelRelease[];
}

export interface RoutingMemory {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
  /** On disk when it returns. */
  flush(): void;
}

export interface SensitivityRules {
  /** Scan, and keep what is sensitive in the house. */
  localOnly: boolean;
  /** Rather mask than refuse, where masking can take out everything that was found. */
  masking: boolean;
  /** Clouds may be shown pictures, which cannot be scanned. */
  imagesMayLeave: boolean;
  options: SensitivityOptions;
}
