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

export interface OtherServer {
  url: string;
  dataDir: string;
  pid: number | undefined;
}

/** `the data folder /home/x/.venom, process 123` */
export const describeOther = ({ dataDir, pid }: OtherServer): string =>
  `data folder ${dataDir}${pid === undefined ? '' : `, process ${pid}`}`;

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
   * another data folder and no address. For whoever has something to ask; who starts or stops one asks `ownServer`.
   */
  async locateServer(): Promise<{ url: string; record: ServerRecord | undefined } | undefined> {
    const own = await this.ownServer();
    if (own !== undefined) return own;
    const meant = this.#named.has('PORT') || this.#named.has('HOST') || !this.#named.has('VENOM_DATA_DIR');
    const other = meant ? await this.otherServer() : undefined;
    return other && { url: other.url, record: undefined };
  }

  /** The server of the data folder, however it was started. */
  async ownServer(): Promise<{ url: string; record: ServerRecord | undefined } | undefined> {
    const { VENOM_DATA_DIR } = this.settings;
    const record = await findServer(this.files);
    if (record !== undefined) return { url: record.url, record };
    for (const url of [readServerAddress(VENOM_DATA_DIR), this.#configuredUrl])
      if (url !== undefined && (await identityOf(this.client(url)))?.dataDir === VENOM_DATA_DIR)
        return { url, record: undefined };
    return undefined;
  }

  /** A Venom of another data folder that holds the configured address. */
  async otherServer(): Promise<OtherServer | undefined> {
    const url = this.#configuredUrl;
    const found = await identityOf(this.client(url));
    return found === undefined || found.dataDir === this.settings.VENOM_DATA_DIR ? undefined : { url, ...found };
  }

  get #configuredUrl(): string {
    const { HOST, PORT } = this.settings;
    return `http://${reachableHost(HOST)}:${PORT}`;
  }

  /** @throws AppError `provider_unavailable` when no server runs */
  async server(): Promise<ApiClient> {
    const found = await this.locateServer();
    if (found === undefined)
      throw new AppError('provider_unavailable', 'Venom is not running; start it with `venom start`');
    return this.client(found.url);
  }
}

async function identityOf(client: ApiClient): Promise<Omit<OtherServer, 'url'> | undefined> {
  try {
    const { data_dir, pid } = await client.get<{ data_dir?: unknown; pid?: unknown }>('/api/v1/system/info', 1_000);
    return typeof data_dir === 'string'
      ? { dataDir: data_dir, pid: typeof pid === 'number' ? pid : undefined }
      : undefined;
  } catch {
    return undefined;
  }
}
