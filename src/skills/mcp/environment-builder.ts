// Installs what a server needs into a folder of its own: wheels only, no install scripts, so that no code of a package runs;
// isolated as well as this machine allows, with bounds on time, output and size.
import { existsSync } from 'node:fs';
import { lstat, mkdir, opendir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { AppError } from '../../shared/errors.js';
import { type CommandResult, runCommand } from '../../shared/run-command.js';
import { pick } from './git-source.js';
import type { BuildStep } from './import-plan.js';
import { findOnPath, type Isolation } from './isolation.js';

const STEP_MS = 600_000;
const BYTES_MAX = 2_000 * 1_048_576;
const WATCH_MS = 2_000;
/** How a person's own registry, proxy and certificates are reached; without code of packages nobody can carry them away. */
const REGISTRY_VARIABLES =
  /^(PIP_|UV_|NPM_CONFIG_|npm_config_|https?_proxy$|HTTPS?_PROXY$|no_proxy$|NO_PROXY$|SSL_CERT_(FILE|DIR)$|NODE_EXTRA_CA_CERTS$|REQUESTS_CA_BUNDLE$)/;

export interface EnvironmentBuilderOptions {
  isolation: Isolation;
  environment: Readonly<Record<string, string | undefined>>;
  cacheDir: string;
}

export interface BuildRequest {
  steps: readonly BuildStep[];
  /** The fetched files. */
  source: string;
  /** What is made. */
  env: string;
  signal: AbortSignal;
  onStep: (title: string) => void;
}

export class EnvironmentBuilder {
  readonly #options: EnvironmentBuilderOptions;

  constructor(options: EnvironmentBuilderOptions) {
    this.#options = options;
  }

  /** @throws AppError `mcp_import_failed`, `cancelled` */
  async build({ steps, source, env, signal, onStep }: BuildRequest): Promise<void> {
    const { cacheDir } = this.#options;
    await Promise.all([source, env, cacheDir].map((folder) => mkdir(folder, { recursive: true, mode: 0o700 })));
    const tooLarge = new AbortController();
    const watch = setInterval(() => {
      void folderBytes(env).then((bytes) => bytes > BYTES_MAX && tooLarge.abort());
    }, WATCH_MS);
    try {
      for (const step of steps) {
        onStep(step.title);
        for (const command of await this.#commands(step.command, { source, env })) {
          const result = await this.#run(
            command,
            step.network,
            { source, env },
            AbortSignal.any([signal, tooLarge.signal]),
          );
          if (signal.aborted) throw new AppError('cancelled', 'The import was cancelled.');
          if (tooLarge.signal.aborted)
            throw new AppError('mcp_import_failed', `What it needs is larger than ${BYTES_MAX / 1_048_576} MB.`);
          if (!result.ok) throw new AppError('mcp_import_failed', `${step.title} failed: ${lastLines(result)}`);
        }
      }
    } finally {
      clearInterval(watch);
    }
  }

  async #commands(command: readonly string[], { source, env }: { source: string; env: string }): Promise<string[][]> {
    const [head, ...rest] = command;
    const path = this.#options.environment['PATH'];
    const uv = findOnPath('uv', path);
    if (head === '{make-env}') {
      const python = await this.#python();
      return [
        uv ? [uv, 'venv', '--quiet', '--clear', '--python', python, env] : [python, '-m', 'venv', '--clear', env],
      ];
    }
    if (head === '{install}') {
      const python = join(env, 'bin', 'python');
      const packages = rest.map((part) => part.replaceAll('{source}', source));
      return [
        uv
          ? [uv, 'pip', 'install', '--quiet', '--python', python, '--only-binary', ':all:', '--', ...packages]
          : [
              python,
              '-m',
              'pip',
              'install',
              '--quiet',
              '--no-input',
              '--disable-pip-version-check',
              '--only-binary',
              ':all:',
              '--',
              ...packages,
            ],
      ];
    }
    const program = findOnPath(head as string, path);
    if (!program) throw new AppError('mcp_import_failed', `${head} was not found; it is needed to build this server.`);
    return [[program, ...rest]];
  }

  /** The interpreter itself: a shim in its place would not work where its home cannot be seen. */
  async #python(): Promise<string> {
    const { environment } = this.#options;
    for (const name of ['python3', 'python']) {
      const found = findOnPath(name, environment['PATH']);
      if (!found) continue;
      const result = await runCommand([found, '-c', 'import sys; print(sys.executable)'], {
        environment: pick(environment, ['PATH', 'HOME']),
        timeoutMs: 10_000,
      });
      const path = result.stdout.trim();
      if (result.ok && existsSync(path)) return path;
    }
    throw new AppError('mcp_import_failed', 'Python 3 was not found; it is needed to build this server.');
  }

  #run(
    command: readonly string[],
    network: boolean,
    { source, env }: { source: string; env: string },
    signal: AbortSignal,
  ) {
    const { isolation, environment, cacheDir } = this.#options;
    const home = environment['HOME'] ?? homedir();
    const npmrc = join(home, '.npmrc');
    const pipConfig = [join(home, '.config', 'pip', 'pip.conf'), join(home, '.pip', 'pip.conf')].find((path) =>
      existsSync(path),
    );
    const [program, ...args] = command as [string, ...string[]];
    const inSource = program.endsWith('npm');
    const own = Object.fromEntries(
      Object.entries(environment).filter(
        (entry): entry is [string, string] => entry[1] !== undefined && REGISTRY_VARIABLES.test(entry[0]),
      ),
    );
    const wrapped = isolation.wrap(isolation.best, {
      command: program,
      args,
      cwd: inSource ? source : env,
      network,
      readable: [
        '/etc/pip.conf',
        '/etc/npmrc',
        dirname(process.execPath),
        npmrc,
        // Where certificates and packages of one's own lie.
        ...Object.values(own).filter((value) => isAbsolute(value)),
        ...(pipConfig ? [dirname(pipConfig)] : []),
      ],
      writable: [source, env, cacheDir],
    });
    return runCommand(wrapped, {
      environment: {
        ...pick(environment, ['PATH', 'LANG']),
        ...own,
        HOME: cacheDir,
        XDG_CACHE_HOME: cacheDir,
        npm_config_cache: join(cacheDir, 'npm'),
        npm_config_ignore_scripts: 'true',
        UV_LINK_MODE: 'copy',
        ...(existsSync(npmrc) ? { NPM_CONFIG_USERCONFIG: npmrc } : {}),
        ...(pipConfig ? { PIP_CONFIG_FILE: pipConfig } : {}),
      },
      timeoutMs: STEP_MS,
      cwd: inSource ? source : env,
      signal,
    });
  }
}

const lastLines = ({ stderr, stdout, message }: CommandResult): string =>
  (stderr.trim() || stdout.trim() || message).split('\n').slice(-5).join('\n').slice(-800);

async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  const open = [folder];
  for (let next = open.pop(); next !== undefined && bytes <= BYTES_MAX; next = open.pop()) {
    const directory = await opendir(next).catch(() => undefined);
    if (!directory) continue;
    for await (const entry of directory) {
      const path = join(next, entry.name);
      if (entry.isDirectory()) open.push(path);
      else bytes += (await lstat(path).catch(() => undefined))?.size ?? 0;
    }
  }
  return bytes;
}
