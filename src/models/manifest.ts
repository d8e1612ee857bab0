// What is known of one installed model: where it came from, what it can do, what it takes.

export const INSTALL_STATES = ['available', 'downloading', 'installed', 'failed', 'removing'] as const;
export type InstallState = (typeof INSTALL_STATES)[number];

/** One generation parameter as a form or a check needs it. */
export interface ParameterSchema {
  type: 'float' | 'int' | 'bool' | 'select' | 'string';
  default: number | boolean | string | null;
  min?: number;
  max?: number;
  desc?: string;
  options?: readonly string[];
}

export type GenerationSchema = Readonly<Record<string, ParameterSchema>>;

/** One measured ability. */
export interface ProbeResult {
  /** `system_role`, `tool_call`, `forced_tool`, `json_schema`, `thinking`, `vision`, `languages`, `context`. */
  name: string;
  status: 'verified' | 'failed' | 'metadata_only' | 'skipped';
  /** 0 to 1; null where there is nothing to count. */
  score: number | null;
  reason: string | null;
  durationMs: number;
}

export interface ProbeReport {
  /** Milliseconds since the epoch, UTC. */
  at: number;
  runtime: string;
  runtimeVersion: string | null;
  score: number;
  results: readonly ProbeResult[];
  tokensPerSecond: number | null;
  memoryBytes: number | null;
  /** Tokens of the longest text whose beginning it still knew at the end; absent in reports from before it was measured. */
  usableContext?: number | null;
  /** It told what was in a picture, or its engine takes none; null where it looked and was wrong, or was not asked. */
  takesPictures?: boolean | null;
}

export interface ModelCapabilities {
  supportsSystemRole: boolean;
  supportsFunctionCalling: boolean;
  allowedRoles: readonly string[];
  promptTemplate: string | null;
  /** Tokens. */
  maxContextLength: number;
  quantization: string | null;
  generationSchema?: GenerationSchema;
}

export interface ModelManifest {
  name: string;
  /** Where it came from: `ollama`, `huggingface`, `python-index`, `local`. */
  provider: string;
  displayName: string;
  sizeBytes: number | null;
  status: InstallState;
  capabilities: ModelCapabilities;
  /** File or folder; null where an engine keeps the weights itself. */
  localPath: string | null;
  sha256: string | null;
  /** Milliseconds since the epoch, UTC. */
  installedAt: number | null;
  /** The engine that loads it: `llama-cpp`, `ollama`, `vllm`. */
  runtime: string;
  /** As the source names it, such as `org/model@revision/file`. */
  source: string | null;
  licence: string | null;
  /** False where the file belongs to another application and is only linked. */
  owned: boolean;
  probe: ProbeReport | null;
}

export const DEFAULT_CAPABILITIES: ModelCapabilities = {
  supportsSystemRole: true,
  supportsFunctionCalling: false,
  allowedRoles: ['system', 'user', 'assistant'],
  promptTemplate: null,
  maxContextLength: 4_096,
  quantization: null,
};

/** What is usual, but for what a model's file says itself. */
export const capabilitiesByFile = (
  { quantization, contextLength }: { quantization: string | null; contextLength: number | null },
  usual: ModelCapabilities = DEFAULT_CAPABILITIES,
): ModelCapabilities => ({ ...usual, quantization, maxContextLength: contextLength ?? usual.maxContextLength });
