// Reads the settings once, from the environment and one .env file, and freezes them.
import { isUtf8 } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { homedir, platform } from 'node:os';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { AppError } from '../shared/errors.js';
import { isSecret } from './setting-types.js';
import { type SettingName, type Settings, SettingsSchema } from './settings-schema.js';

export type { Settings } from './settings-schema.js';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface SettingInEffect {
  name: SettingName;
  /** As text; a secret that is set reads `***`. */
  value: string;
  default: string;
  source: 'default' | 'env' | 'file';
  description: string;
  secret: boolean;
}

/** Code made for a schema pays where it is used again and again. */
const LEAST_KEY_CHARS = 16;
const ONCE = { jitless: true };
const MOST_ENV_FILE_BYTES = 1_000_000;

export interface LoadedSettings {
  settings: Settings;
  inEffect: readonly SettingInEffect[];
}

/**
 * The environment wins over the file; unknown names are ignored.
 * @throws AppError `invalid_settings` that names every mistake at once
 */
export function loadSettings(env: Environment, cwd: string): Settings {
  return loadSettingsWithSources(env, cwd).settings;
}

export function loadSettingsWithSources(env: Environment, cwd: string): LoadedSettings {
  const file = readEnvFile(resolve(cwd, env['ENV_FILE'] || '.env'), env['ENV_FILE'] !== undefined);
  const names = Object.keys(SettingsSchema.shape) as SettingName[];
  const given: Record<string, string> = {};
  for (const name of names) {
    const value = env[name] ?? file[name];
    if (value !== undefined) given[name] = value;
  }
  const parsed = SettingsSchema.safeParse(given, ONCE);
  if (!parsed.success) {
    const mistakes = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new AppError('invalid_settings', `Settings are wrong:\n  ${mistakes.join('\n  ')}`, {
      details: { mistakes },
    });
  }
  const settings: Settings = Object.freeze({
    ...parsed.data,
    VENOM_DATA_DIR: resolve(cwd, parsed.data.VENOM_DATA_DIR || defaultDataDir(env)),
  });
  if (!isLoopback(settings.HOST) && settings.VENOM_API_KEY.length < LEAST_KEY_CHARS) {
    throw new AppError(
      'invalid_settings',
      `Settings are wrong:\n  HOST: ${settings.HOST} can be reached from other machines; set VENOM_API_KEY (${LEAST_KEY_CHARS} characters or more) first`,
    );
  }
  const users = userApiKeys(settings);
  if (
    users.some((key) => key.length < LEAST_KEY_CHARS || key === settings.VENOM_API_KEY) ||
    (users.length > 0 && !settings.VENOM_API_KEY)
  )
    throw new AppError(
      'invalid_settings',
      `Settings are wrong:\n  VENOM_USER_API_KEYS: each needs ${LEAST_KEY_CHARS} characters or more, and another VENOM_API_KEY beside it`,
    );
  const defaults = SettingsSchema.parse({}, ONCE);
  const inEffect = names.map((name): SettingInEffect => {
    const type = SettingsSchema.shape[name];
    const secret = isSecret(type);
    return {
      name,
      value: secret ? (settings[name] ? '***' : '') : asText(settings[name]),
      default: asText(defaults[name]),
      source: env[name] !== undefined ? 'env' : file[name] !== undefined ? 'file' : 'default',
      description: type.description ?? '',
      secret,
    };
  });
  return { settings, inEffect };
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);

/** Where a person's data belongs on this platform. @see XDG Base Directory Specification */
export function defaultDataDir(env: Environment): string {
  const home = env['HOME'] || homedir();
  if (platform() === 'win32') return join(env['LOCALAPPDATA'] || join(home, 'AppData', 'Local'), 'Venom');
  if (platform() === 'darwin') return join(home, 'Library', 'Application Support', 'Venom');
  return join(env['XDG_DATA_HOME'] || join(home, '.local', 'share'), 'venom');
}

function readEnvFile(path: string, required: boolean): Record<string, string | undefined> {
  const wrong = (reason: string, cause?: unknown) =>
    new AppError('invalid_settings', `Settings are wrong:\n  the env file ${path} ${reason}`, { cause });
  let bytes: Buffer;
  try {
    bytes = boundedBytes(path);
  } catch (cause) {
    if (!required && (cause as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw wrong('cannot be read', cause);
  }
  // Half of a file that is no text could be settings by chance, and the other half would be missed without a word.
  if (!isUtf8(bytes) || bytes.includes(0)) throw wrong('is not text in UTF-8');
  return parseEnv(new TextDecoder().decode(bytes));
}

/** @throws the system's error; also for a pipe, whose writer may never come, and for what has no end */
function boundedBytes(path: string): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const kind = fstatSync(file);
    if (!kind.isFile() && !kind.isCharacterDevice()) throw new Error('it is no file');
    const bytes = Buffer.alloc(MOST_ENV_FILE_BYTES + 1);
    const size = readSync(file, bytes);
    if (size > MOST_ENV_FILE_BYTES) throw new Error(`it is larger than ${MOST_ENV_FILE_BYTES} bytes`);
    return bytes.subarray(0, size);
  } finally {
    closeSync(file);
  }
}

const asText = (value: unknown): string => (Array.isArray(value) ? value.join(',') : String(value));

/** Keys of people who are no administrators. */
export const userApiKeys = ({ VENOM_USER_API_KEYS }: Pick<Settings, 'VENOM_USER_API_KEYS'>): string[] =>
  VENOM_USER_API_KEYS.split(',')
    .map((key) => key.trim())
    .filter((key) => key !== '');
