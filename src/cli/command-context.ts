// What every command gets: the settings, the terminal, and the way to the server.
import { type Environment, loadSettings, type Settings } from '../config/config.js';
import { AppError } from '../shared/errors.js';
import { ApiClient } from './api-client.js';
import { CHECKOUT, logFile, pidFile, SERVER_ENTRY } from './installation.js';
import { findServer, type ServerFiles, type ServerRecord } from './server-process.js';
import { StandardInput } from './standard-input.js';
import type { Terminal } from './terminal.js';

export class CommandContext {
  readonly env: Environment;
  readonly settings: Settings;
  readonly terminal: Terminal;
  readonly input: StandardInput;
  readonly files: ServerFiles;

  /** @throws AppError `invalid_settings` */
  constructor(env: Environment, terminal: Terminal, input = new StandardInput()) {
    this.env = env;
    this.settings = loadSettings(env, CHECKOUT);
    this.terminal = terminal;
    this.input = input;
    this.files = {
      entry: SERVER_ENTRY,
      pidFile: pidFile(this.settings.VENOM_DATA_DIR),
      logFile: logFile(this.settings.VENOM_DATA_DIR),
    };
  }

  client(url: string): ApiClient {
    return new ApiClient(url, this.settings.VENOM_API_KEY);
  }

  /** The server that `venom start` began, or one that somebody else started on the configured port. */
  async locateServer(): Promise<{ url: string; record: ServerRecord | undefined } | undefined> {
    const record = await findServer(this.files);
    if (record !== undefined) return { url: record.url, record };
    const url = configuredUrl(this.settings);
    return (await isVenom(this.client(url))) ? { url, record: undefined } : undefined;
  }

  /** @throws AppError `provider_unavailable` when no server runs */
  async server(): Promise<ApiClient> {
    const found = await this.locateServer();
    if (found === undefined)
      throw new AppError('provider_unavailable', 'Venom is not running; start it with `venom start`');
    return this.client(found.url);
  }
}

function configuredUrl({ HOST, PORT }: Settings): string {
  const host =
    HOST === '0.0.0.0'
      ? '127.0.0.1'
      : HOST === '::'
        ? '[::1]'
        : HOST.includes(':') && !HOST.startsWith('[')
          ? `[${HOST}]`
          : HOST;
  return `http://${host}:${PORT}`;
}

async function isVenom(client: ApiClient): Promise<boolean> {
  try {
    return typeof (await client.get<{ data_dir?: string }>('/api/v1/system/info', 1_000)).data_dir === 'string';
  } catch {
    return false;
  }
}
