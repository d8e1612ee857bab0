// What every command gets: the settings, the terminal, and the way to the server.
import { type Environment, loadSettingsWithSources, type Settings } from '../config/config.js';
import { AppError } from '../shared/errors.js';
import { reachableHost } from '../shared/reachable-host.js';
import { readServerAddress } from '../storage/server-address.js';
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
  /** Settings that somebody has set. */
  readonly #named: ReadonlySet<string>;

  /** @throws AppError `invalid_settings` */
  constructor(env: Environment, terminal: Terminal, input = new StandardInput()) {
    this.env = env;
    const { settings, inEffect } = loadSettingsWithSources(env, CHECKOUT);
    this.settings = settings;
    this.#named = new Set(inEffect.flatMap(({ name, source }) => (source === 'default' ? [] : [name])));
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

  /**
   * The server of the data folder, however it was started; or what answers at the configured address, unless somebody named
   * another data folder and no address.
   */
  async locateServer(): Promise<{ url: string; record: ServerRecord | undefined } | undefined> {
    const { HOST, PORT, VENOM_DATA_DIR } = this.settings;
    const record = await findServer(this.files);
    if (record !== undefined) return { url: record.url, record };
    const written = readServerAddress(VENOM_DATA_DIR);
    if (written !== undefined && (await dataDirOf(this.client(written))) === VENOM_DATA_DIR)
      return { url: written, record: undefined };
    const url = `http://${reachableHost(HOST)}:${PORT}`;
    const dataDir = await dataDirOf(this.client(url));
    const meant = this.#named.has('PORT') || this.#named.has('HOST') || !this.#named.has('VENOM_DATA_DIR');
    return dataDir === VENOM_DATA_DIR || (dataDir !== undefined && meant) ? { url, record: undefined } : undefined;
  }

  /** @throws AppError `provider_unavailable` when no server runs */
  async server(): Promise<ApiClient> {
    const found = await this.locateServer();
    if (found === undefined)
      throw new AppError('provider_unavailable', 'Venom is not running; start it with `venom start`');
    return this.client(found.url);
  }
}

async function dataDirOf(client: ApiClient): Promise<string | undefined> {
  try {
    const { data_dir } = await client.get<{ data_dir?: unknown }>('/api/v1/system/info', 1_000);
    return typeof data_dir === 'string' ? data_dir : undefined;
  } catch {
    return undefined;
  }
}
