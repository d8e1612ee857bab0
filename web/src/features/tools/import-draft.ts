// What somebody fills in to import a server, and the request it becomes. Pure.
import type { RegistryEntry } from './api/get-registry';
import type { Bundle, ImportRequest } from './api/imports';
import { initialValues, type NamedField, toInput, type Values } from './schema-form';

export const SOURCES = ['git', 'npm', 'pypi', 'remote', 'bundle', 'config'] as const;
export type SourceKind = (typeof SOURCES)[number];

export interface SecretRow {
  /** Keeps the row's fields what they are while others come and go. */
  id: number;
  /** A variable, or a header of a remote server. */
  variable: string;
  /** The name it is kept under here. */
  secret: string;
  /** Typed in now; empty where it is kept already. */
  value: string;
  about: string;
  required: boolean;
}

export interface VariableRow {
  id: number;
  name: string;
  value: string;
  about: string;
  required: boolean;
}

export interface ImportDraft {
  kind: Exclude<SourceKind, 'config'>;
  name: string;
  title: string;
  address: string;
  ref: string;
  entrypoint: string;
  /** Not what the repository's lock file names. */
  ignoreLock: boolean;
  package: string;
  version: string;
  program: string;
  args: string[];
  allowPrivate: boolean;
  /** What was uploaded, and what a person answered it. */
  bundle: Bundle | null;
  answers: Values;
  /** Values of what is sensitive, by the name of the setting. */
  sensitive: Readonly<Record<string, string>>;
  network: boolean;
  readable: string[];
  writable: string[];
  variables: VariableRow[];
  secrets: SecretRow[];
  trusted: boolean;
  allowPlain: boolean;
}

export const EMPTY_DRAFT: ImportDraft = {
  kind: 'git',
  name: '',
  title: '',
  address: '',
  ref: '',
  entrypoint: '',
  ignoreLock: false,
  package: '',
  version: '',
  program: '',
  args: [],
  allowPrivate: false,
  bundle: null,
  answers: {},
  sensitive: {},
  network: false,
  readable: [],
  writable: [],
  variables: [],
  secrets: [],
  trusted: false,
  allowPlain: false,
};

const NAME_CHARS = 40;

/** A name the server takes, made of an address, a package or an entry of the registry; empty where nothing is left of it. */
export function nameFrom(text: string): string {
  const path = text
    .trim()
    .replace(/[?#].*$/, '')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '');
  const host = /^https?:\/\/([^/:]+)(?::\d+)?(?:\/(?:mcp|sse|api|v\d+))*$/i.exec(path)?.[1];
  const word = host ? host.replace(/^(www|mcp|api)\./i, '').split('.')[0] : path.split(/[/:]/).at(-1);
  return (word ?? '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, NAME_CHARS)
    .replace(/-+$/, '');
}

/** What the name is guessed from. */
export const placeOf = ({ kind, address, package: name, bundle }: ImportDraft): string =>
  kind === 'bundle' ? (bundle?.manifest.name ?? '') : kind === 'git' || kind === 'remote' ? address : name;

const SECRET_CHARS = 100;

const nameOf = (draft: ImportDraft): string => draft.name.trim() || nameFrom(placeOf(draft));

/** Where the value of a sensitive setting is kept. */
export const secretOf = (draft: ImportDraft, setting: string): string =>
  `${nameOf(draft)}.${setting}`.slice(0, SECRET_CHARS);

/** What a bundle asks for, as fields of a form; what is sensitive is asked for apart. */
export const fieldsOf = ({ manifest }: Bundle): NamedField[] =>
  manifest.user_config
    .filter(({ sensitive }) => !sensitive)
    .map(({ name, type, title, description, required, multiple, default: initial }) => ({
      name,
      title,
      description,
      required,
      field: multiple
        ? { kind: 'list', of: type === 'number' ? 'number' : 'text' }
        : type === 'number'
          ? { kind: 'number', integer: false, min: undefined, max: undefined }
          : type === 'boolean'
            ? { kind: 'boolean' }
            : { kind: 'text', multiline: false },
      initial: initial ?? undefined,
    }));

export const withBundle = (bundle: Bundle): Partial<ImportDraft> => ({
  bundle,
  title: bundle.manifest.title === bundle.manifest.name ? '' : bundle.manifest.title.slice(0, 200),
  answers: initialValues(fieldsOf(bundle)),
  sensitive: {},
});

export const isComplete = (draft: ImportDraft): boolean =>
  placeOf(draft).trim() !== '' &&
  (draft.kind !== 'bundle' ||
    !draft.bundle ||
    Object.keys(toInput(fieldsOf(draft.bundle), draft.answers).problems).length === 0) &&
  draft.variables.every(({ required, value }) => !required || value.trim() !== '');

export function toRequest(draft: ImportDraft): { wanted: ImportRequest; values: Record<string, string> } {
  const remote = draft.kind === 'remote';
  const secrets = draft.secrets.filter(({ variable, secret }) => variable.trim() !== '' && secret.trim() !== '');
  const variables = draft.variables.filter(({ name, value }) => name.trim() !== '' && value !== '');
  const plain = Object.fromEntries(variables.map(({ name, value }) => [name.trim(), value]));
  return {
    wanted: {
      name: nameOf(draft),
      ...(draft.title ? { title: draft.title } : {}),
      source: sourceOf(draft, plain),
      environment: remote ? {} : plain,
      secrets: Object.fromEntries(secrets.map(({ variable, secret }) => [variable.trim(), secret.trim()])),
      network: !remote && draft.network,
      readable: remote ? [] : draft.readable,
      writable: remote ? [] : draft.writable,
      trusted: draft.trusted,
      allow_plain: !remote && draft.allowPlain,
    },
    values: Object.fromEntries([
      ...secrets.filter(({ value }) => value !== '').map(({ secret, value }) => [secret.trim(), value]),
      ...(draft.kind === 'bundle'
        ? Object.entries(draft.sensitive)
            .filter(([, value]) => value !== '')
            .map(([setting, value]) => [secretOf(draft, setting), value])
        : []),
    ]),
  };
}

function sourceOf(draft: ImportDraft, headers: Record<string, string>): Record<string, unknown> {
  const or = (text: string) => text.trim() || null;
  if (draft.kind === 'git')
    return {
      kind: 'git',
      url: draft.address.trim(),
      ref: or(draft.ref),
      entrypoint: or(draft.entrypoint),
      ...(draft.ignoreLock ? { ignore_lock: true } : {}),
    };
  if (draft.kind === 'remote')
    return { kind: 'remote', url: draft.address.trim(), headers, allow_private: draft.allowPrivate };
  if (draft.kind === 'bundle')
    return {
      kind: 'bundle',
      bundle: draft.bundle?.bundle,
      user_config: draft.bundle ? toInput(fieldsOf(draft.bundle), draft.answers).input : {},
      user_secrets: Object.fromEntries(
        (draft.bundle?.manifest.user_config ?? [])
          .filter(({ name, sensitive, required }) => sensitive && (required || draft.sensitive[name]))
          .map(({ name }) => [name, secretOf(draft, name)]),
      ),
    };
  return {
    kind: draft.kind,
    package: draft.package.trim(),
    version: or(draft.version),
    program: or(draft.program),
    args: draft.args,
  };
}

export type RegistryOption = { kind: 'npm' | 'pypi' | 'remote'; index: number };

/** What of an entry can be imported, in its own order. */
export function optionsOf({ packages, remotes }: RegistryEntry): RegistryOption[] {
  return [
    ...packages.flatMap(({ kind }, index) => (kind === 'npm' || kind === 'pypi' ? [{ kind, index } as const] : [])),
    ...remotes.map((_, index) => ({ kind: 'remote' as const, index })),
  ];
}

export function fromRegistry(entry: RegistryEntry, option: RegistryOption): ImportDraft {
  const found = option.kind === 'remote' ? null : entry.packages[option.index];
  const remote = option.kind === 'remote' ? entry.remotes[option.index] : null;
  const wanted = found?.environment ?? remote?.headers ?? [];
  const name = nameFrom(entry.name);
  const shared = (index: number, description: string | null, required: boolean) => ({
    id: index,
    about: description ?? '',
    required,
  });
  return {
    ...EMPTY_DRAFT,
    kind: option.kind,
    name,
    title: entry.title === entry.name ? '' : entry.title,
    address: remote?.url ?? '',
    package: found?.identifier ?? '',
    version: found?.version ?? '',
    args: [...(found?.args ?? [])],
    variables: wanted
      .filter(({ secret }) => !secret)
      .map((each, index) => ({
        ...shared(index, each.description, each.required),
        name: each.name,
        // A template is for a person to fill in.
        value: each.value && !/\{[^}]*\}/.test(each.value) ? each.value : '',
      })),
    secrets: wanted
      .filter(({ secret }) => secret)
      .map((each, index) => ({
        ...shared(index, each.description, each.required),
        variable: each.name,
        secret: `${name}.${each.name}`,
        value: '',
      })),
  };
}
