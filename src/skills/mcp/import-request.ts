// What somebody asks to import, and what they would give it. Data only.

/** What a server may do and is given; shown with the plan. */
export interface ImportGrants {
  /** Values that are no secrets. */
  environment: Readonly<Record<string, string>>;
  /** Variable or header to the name of a stored secret. */
  secrets: Readonly<Record<string, string>>;
  network: boolean;
  /** Folders of this machine it may read, and may change. */
  readable: readonly string[];
  writable: readonly string[];
  trusted: boolean;
  allowPlain: boolean;
}

/** What a bundle asks a person for. */
export interface BundleAnswers {
  values: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  /** Of sensitive ones: the name of a stored secret. */
  secrets: Readonly<Record<string, string>>;
}

export type ImportSource =
  | {
      kind: 'git';
      url: string;
      ref: string | null;
      entrypoint: string | null;
      /** Installs what the project allows, and not what its lock file names. */
      ignoreLock?: boolean;
    }
  | { kind: 'npm' | 'pypi'; package: string; version: string | null; program: string | null; args: readonly string[] }
  | { kind: 'bundle'; bundle: string | null; path: string | null; answers: BundleAnswers }
  | { kind: 'config'; command: string; args: readonly string[]; cwd?: string }
  | { kind: 'remote'; url: string; headers: Readonly<Record<string, string>>; allowPrivate: boolean };

export interface ImportRequest {
  name: string;
  title?: string | undefined;
  source: ImportSource;
  grants: ImportGrants;
  /** It is there and switched off. */
  disabled?: boolean;
  /** What of a configuration was not taken; shown with the plan. */
  notes?: readonly string[];
}
