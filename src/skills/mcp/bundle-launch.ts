// From a bundle's manifest and what a person has filled in to how its server starts. Pure.
import { isAbsolute } from 'node:path';
import { AppError } from '../../shared/errors.js';
import type { BundleManifest, BundleSetting } from './bundle-manifest.js';
import type { BuildStep } from './import-plan.js';
import type { BundleAnswers } from './import-request.js';

/** What a person is asked for, and what was answered. */
export interface PlanSetting {
  name: string;
  type: BundleSetting['type'];
  title: string;
  description: string;
  required: boolean;
  sensitive: boolean;
  multiple: boolean;
  /** Of what is not sensitive. */
  value: SettingValue | null;
  /** Of what is: the name of a stored secret. */
  secret: string | null;
}

export type SettingValue = string | number | boolean | readonly string[];

export interface BundleLaunch {
  build: readonly BuildStep[];
  /** Of a uv bundle: what Python starts, as a repository's entry point is named; its arguments follow, and the rest is in its files. */
  entrypoint: string | null;
  command: string;
  args: readonly string[];
  environment: Readonly<Record<string, string>>;
  secrets: Readonly<Record<string, string>>;
  /** Folders and files that were named as settings. */
  readable: readonly string[];
  /** Files of the bundle that may be run. */
  executables: readonly string[];
  settings: readonly PlanSetting[];
  /** Names of settings without which it does not start. */
  missing: readonly string[];
}

/** @throws AppError `mcp_import_failed` for a bundle that cannot run here, `invalid_input` for a wrong answer */
export function bundleLaunch(
  manifest: BundleManifest,
  answers: BundleAnswers,
  { platform, home }: { platform: string; home: string },
): BundleLaunch {
  const { server, compatibility } = manifest;
  const platforms = compatibility.platforms;
  if (platforms && !platforms.includes(platform)) throw refused(`it runs on ${platforms.join(', ')} only`);
  const settings = settingsOf(manifest, answers, home);
  const missing = settings
    .filter(({ required, value, secret }) => required && isEmpty(value) && secret === null)
    .map(({ name }) => name);
  const entry = inBundle(server.entry_point);
  const base = server.mcp_config ?? {
    command: usualCommand(server.type, entry),
    args: usualArguments(server.type, entry),
    env: {},
    platform_overrides: {},
  };
  const own = { ...base, ...withoutUndefined(base.platform_overrides[platform] ?? {}) };
  const fill = new Placeholders(settings, home);
  const environment: Record<string, string> = {};
  const secrets: Record<string, string> = {};
  for (const [name, text] of Object.entries(own.env)) {
    const filled = fill.variable(text, name);
    if (filled.kind === 'secret') secrets[name] = filled.secret;
    else if (filled.kind === 'text') environment[name] = filled.text;
  }
  const command = fill.text(own.command, 'its command');
  const { program, executables } = programOf(server.type, command);
  const args = own.args.flatMap((text) => fill.words(text));
  const started = server.type === 'uv' ? uvRun(args, entry) : { entrypoint: null, args };
  return {
    entrypoint: started.entrypoint,
    build: server.type === 'python' ? [{ title: 'Make an environment', command: ['{make-env}'], network: false }] : [],
    command: program,
    args: started.args,
    environment,
    secrets,
    readable: settings
      .filter(({ type }) => type === 'directory' || type === 'file')
      .flatMap(({ value }) => asList(value).map(String)),
    executables,
    settings,
    missing,
  };
}

/** Its own interpreter, or a file of its own: a bundle names no program of this machine. */
function programOf(type: BundleManifest['server']['type'], command: string) {
  if (type === 'node') {
    if (command !== 'node') throw refused(`a server of type node is started by node, not by ${shown(command)}`);
    return { program: '{node}', executables: [] };
  }
  if (type === 'python') {
    if (!/^python3?$/.test(command))
      throw refused(`a server of type python is started by python, not by ${shown(command)}`);
    return { program: '{env}/bin/python', executables: [] };
  }
  if (type === 'uv') {
    if (command !== 'uv') throw refused(`a server of type uv is started by uv, not by ${shown(command)}`);
    return { program: '{env}/bin/python', executables: [] };
  }
  const file = command.startsWith('{source}/') ? command.slice('{source}/'.length) : command;
  if (isAbsolute(command)) throw refused(`it starts a program of this machine, ${shown(command)}`);
  return { program: `{source}/${inBundle(file)}`, executables: [inBundle(file)] };
}

const usualCommand = (type: BundleManifest['server']['type'], entry: string): string =>
  type === 'binary' ? entry : type;
const usualArguments = (type: BundleManifest['server']['type'], entry: string): string[] =>
  type === 'binary' ? [] : type === 'uv' ? ['run', entry] : [`{source}/${entry}`];

/** Of `uv run` with a value: only the bundle's own folder, and any Python, may be named. */
const UV_FOLDERS: ReadonlySet<string> = new Set(['--directory', '--project']);
const UV_PYTHON: ReadonlySet<string> = new Set(['--python', '-p']);
/** How uv goes about it, which here is always alike. */
const UV_MANNER =
  /^(-q|--quiet|-n|--no-cache|--frozen|--locked|--no-sync|--no-dev|--isolated|--offline|--no-progress|--native-tls)$/;

/**
 * What `uv run` would start, and with what. uv itself does not run then: what is needed is installed once, when the import was
 * agreed to, as for every other server of Python.
 */
function uvRun(words: readonly string[], entry: string): { entrypoint: string; args: string[] } {
  const rest = [...words];
  let run = false;
  for (;;) {
    const word = rest[0] ?? '';
    if (word === 'run' && !run) run = true;
    else if (UV_FOLDERS.has(word)) {
      const folder = rest[1] ?? '';
      if (!/^(\{source\}\/?|\.\/?)$/.test(folder))
        throw refused(`uv is sent to ${shown(folder)}, which is not its own folder`);
      rest.shift();
    } else if (UV_PYTHON.has(word)) rest.shift();
    else if (!UV_MANNER.test(word)) break;
    rest.shift();
  }
  if (!run) throw refused('uv is asked for something else than to run it');
  if (rest[0] === '--') rest.shift();
  if (/^python3?$/.test(rest[0] ?? '')) rest.shift();
  if (rest[0] === '-m' || rest[0] === '--module')
    return { entrypoint: `python -m ${rest[1] ?? ''}`, args: rest.slice(2) };
  const target = (rest[0] ?? entry).replace(/^\{source\}\//, '');
  if (target.startsWith('-')) throw refused(`uv is given ${shown(target)}, which is unknown here`);
  return { entrypoint: target.endsWith('.py') ? `python ${inBundle(target)}` : target, args: rest.slice(1) };
}

function inBundle(file: string): string {
  const path = file.replace(/^\.\//, '');
  if (
    isAbsolute(path) ||
    /[\\\p{Cc}]/u.test(path) ||
    path.split('/').some((part) => part === '' || part === '..' || part === '.')
  )
    throw refused(`${shown(file)} is no file of it`);
  return path;
}

function settingsOf({ user_config: asked }: BundleManifest, answers: BundleAnswers, home: string): PlanSetting[] {
  for (const name of [...Object.keys(answers.values), ...Object.keys(answers.secrets)])
    if (!Object.hasOwn(asked, name)) throw wrong(name, 'it does not ask for that');
  return Object.entries(asked).map(([name, setting]) => {
    const { type, title, description, required, sensitive, multiple } = setting;
    const shared = { name, type, title, description, required, sensitive, multiple };
    if (sensitive) {
      if (answers.values[name] !== undefined) throw wrong(name, 'it is a secret: store it, and name the stored secret');
      return { ...shared, value: null, secret: answers.secrets[name] ?? null };
    }
    if (answers.secrets[name] !== undefined) throw wrong(name, 'it is no secret; give its value');
    const given = answers.values[name];
    const value = given ?? (setting.default === undefined ? null : expanded(setting.default, home));
    return { ...shared, value: value === null ? null : checked(name, setting, value), secret: null };
  });
}

function checked(name: string, setting: BundleSetting, value: SettingValue): SettingValue {
  const { type, multiple, min, max } = setting;
  const all = asList(value);
  if (Array.isArray(value) && !multiple) throw wrong(name, 'one value is wanted');
  for (const one of all) {
    const expected = type === 'number' || type === 'boolean' ? type : 'string';
    if (typeof one !== expected) throw wrong(name, `a ${expected} is wanted`);
    if (typeof one === 'number' && (!Number.isFinite(one) || one < (min ?? one) || one > (max ?? one)))
      throw wrong(name, `a number from ${min ?? '-∞'} to ${max ?? '∞'} is wanted`);
    if ((type === 'directory' || type === 'file') && one !== '' && !isAbsolute(String(one)))
      throw wrong(name, 'a path from the root on is wanted');
    if (/\0/.test(String(one))) throw wrong(name, 'it holds a character that cannot be passed on');
  }
  return value;
}

type Filled = { kind: 'text'; text: string } | { kind: 'secret'; secret: string } | { kind: 'none' };

/** `${…}` of a manifest. What is unknown is refused, so that no literal reaches a program by mistake. */
class Placeholders {
  readonly #settings: ReadonlyMap<string, PlanSetting>;
  readonly #home: string;

  constructor(settings: readonly PlanSetting[], home: string) {
    this.#settings = new Map(settings.map((setting) => [setting.name, setting]));
    this.#home = home;
  }

  /** The value of a variable: a secret only as a whole, and nothing where an optional setting was left out. */
  variable(text: string, name: string): Filled {
    const setting = this.#alone(text);
    if (!setting) return { kind: 'text', text: this.text(text, name) };
    if (setting.sensitive)
      return setting.secret === null ? { kind: 'none' } : { kind: 'secret', secret: setting.secret };
    return isEmpty(setting.value)
      ? { kind: 'none' }
      : { kind: 'text', text: asList(setting.value).map(String).join(',') };
  }

  /** A setting with several values becomes several words, one that was left out none. */
  words(text: string): string[] {
    const setting = this.#alone(text);
    if (setting && !setting.sensitive) return isEmpty(setting.value) ? [] : asList(setting.value).map(String);
    return [this.text(text, 'its arguments')];
  }

  text(text: string, where: string): string {
    return text.replace(/\$\{([^}]*)\}/g, (_whole, name: string) => {
      if (name === '__dirname') return '{source}';
      if (name === '/' || name === 'pathSeparator') return '/';
      const folder = homeFolder(name, this.#home);
      if (folder !== undefined) return folder;
      const setting = this.#settings.get(name.replace(/^user_config\./, ''));
      if (!name.startsWith('user_config.') || !setting)
        throw refused(`${where} names ${shown(name)}, which is unknown`);
      if (setting.sensitive)
        throw refused(`${where} mixes the secret ${setting.name} with other text, where others could read it`);
      return isEmpty(setting.value) ? '' : asList(setting.value).map(String).join(',');
    });
  }

  #alone(text: string): PlanSetting | undefined {
    const name = /^\$\{user_config\.([^}]+)\}$/.exec(text)?.[1];
    return name === undefined ? undefined : this.#settings.get(name);
  }
}

const FOLDERS: Readonly<Record<string, string>> = {
  HOME: '',
  DESKTOP: '/Desktop',
  DOCUMENTS: '/Documents',
  DOWNLOADS: '/Downloads',
};

const homeFolder = (name: string, home: string): string | undefined =>
  Object.hasOwn(FOLDERS, name) ? `${home}${FOLDERS[name]}` : undefined;

function expanded(value: SettingValue, home: string): SettingValue {
  if (Array.isArray(value)) return value.map((one) => String(expanded(one, home)));
  if (typeof value !== 'string') return value;
  return value.replace(/\$\{([A-Z]+)\}/g, (whole, name: string) => homeFolder(name, home) ?? whole);
}

const asList = (value: SettingValue | null): readonly (string | number | boolean)[] =>
  value === null ? [] : Array.isArray(value) ? value : [value as string | number | boolean];

const isEmpty = (value: SettingValue | null): boolean =>
  value === null || value === '' || (Array.isArray(value) && (value.length === 0 || value.some((one) => one === '')));

const withoutUndefined = <T extends object>(value: T): { [Key in keyof T]: Exclude<T[Key], undefined> } =>
  Object.fromEntries(Object.entries(value).filter(([, own]) => own !== undefined)) as never;

const shown = (text: string): string => JSON.stringify(text.slice(0, 100));

const refused = (reason: string): AppError =>
  new AppError('mcp_import_failed', `This bundle cannot be imported: ${reason}.`);

const wrong = (name: string, reason: string): AppError =>
  new AppError('invalid_input', `The setting ${shown(name)} is wrong: ${reason}.`, { details: { setting: name } });
