// The starter model as models/ sees it: a state that changes and a way to ask for it.

export interface StarterSnapshot {
  state: 'absent' | 'downloading' | 'verifying' | 'installed' | 'failed' | 'off';
  name: string;
  displayName: string;
  sizeBytes: number;
  receivedBytes: number;
  bytesPerSecond: number | null;
  source: string | null;
  error: { code: string; message: string } | null;
  hints: string[];
}

export interface StarterInstaller {
  readonly state: StarterSnapshot;
  /** Resolves when the model is in place. @throws AppError `hash_mismatch`, `source_unavailable`, `insufficient_storage` */
  install(options?: { path?: string; signal?: AbortSignal }): Promise<unknown>;
}
