// Installs what a server needs into a folder of its own: wheels only, no install scripts, so that no code of a package runs;
// isolated as well as this machine allows, with bounds on time, output and size.
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { AppError } from '../../shared/errors.js';
import { folderSize } from '../../shared/folder-size.js';
import { type CommandResult, runCommand } from '../../shared/run-command.js';
import { pick } from './git-source.js';
import type { BuildStep } from './import-plan.js';
import { findOnPath, type Isolation } from './isolation.js';
import { uvIndexVariables } from './pip-configuration.js';
import { asRequirements, PYTHON_LOCKS, readPythonLock } from './python-lock.js';
import {
  askNewest,
  findPython,
  installLocked,
  installWheels,
  makeEnvironment,
  newestIn,
  type PythonTools,
} from './python-tools.js';

const PIP_OF_MACHINE = '/etc/pip.conf';
const STEP_MS = 600_000;
const MOST = { bytes: 2_000 * 1_048_576, files: 200_000 };
const WATCH_MS = 2_000;
const FLUSH_MS = 10_000;
/** Pip tells of a package with its whole description. */
const OUTPUT_KEPT = 1_048_576;
/** How a person's own registry, proxy and certificates are reached; without code of packages nobody can carry them away. */
const REGISTRY_VARIABLES =
  /^(PIP_|UV_|NPM_CONFIG_|npm_config_|https?_proxy$|HTTPS?_PROXY$|no_proxy$|NO_PROXY$|SSL_CERT_(FILE|DIR)$|NODE_EXTRA_CA_CERTS$|REQUESTS_CA_BUNDLE$)/;

export interface EnvironmentBuilderOptions {
  isolation: Isolation;
  environment: Readonly<Record<string, string | undefined>>;
  cacheDir: string;
  /** For what is run, so that nothing of it outlives us. */
  newMark: () => string;
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

interface Places {
  source: string;
  env: string;
  /** Null where nothing of Python is built. */
  python: PythonTools | null;
}

export class EnvironmentBuilder {
  readonly #options: EnvironmentBuilderOptions;

  constructor(options: EnvironmentBuilderOptions) {
    this.#options = options;
  }

  get hasUv(): boolean {
    return findOnPath('uv', this.#options.environment['PATH']) !== null;
  }

  /** @throws AppError `mcp_import_failed`, `cancelled` */
  async build({ steps, source, env, signal, onStep }: BuildRequest): Promise<void> {
    const { cacheDir } = this.#options;
    await Promise.all([source, env, cacheDir].map((folder) => mkdir(folder, { recursive: true, mode: 0o700 })));
    const tooLarge = new AbortController();
    const watch = setInterval(() => {
      // Node's packages lie beside the source, Python's in the environment.
      void folderSize([source, env], MOST).then(
        ({ bytes, files }) => (bytes > MOST.bytes || files > MOST.files) && tooLarge.abort(),
      );
    }, WATCH_MS);
    try {
      const python = steps.some(({ command }) => command[0] === '{make-env}')
        ? await findPython(this.#options.environment)
        : null;
      const places = { source, env, python };
      for (const step of steps) {
        onStep(step.title);
        // Its own settings would choose another registry, and could carry ours there.
        await rm(join(source, '.npmrc'), { recursive: true, force: true });
        if (step.command[0] === '{read-lock}') {
          await writeLocked(step.command[1], places);
          continue;
        }
        const command = this.#command(step.command, places);
        const result = await this.#run(command, step.network, places, AbortSignal.any([signal, tooLarge.signal]));
        if (signal.aborted) throw new AppError('cancelled', 'The import was cancelled.');
        if (tooLarge.signal.aborted)
          throw new AppError(
            'mcp_import_failed',
            `What it needs is larger than ${MOST.bytes / 1_048_576} MB or ${MOST.files} files.`,
          );
        if (!result.ok) throw new AppError('mcp_import_failed', `${step.title} failed: ${lastLines(result)}`);
      }
      await this.#flush(dirname(env));
    } finally {
      clearInterval(watch);
    }
  }

  #command([head, ...words]: readonly string[], { source, env, python }: Places): string[] {
    const rest = words.map((part) => part.replaceAll('{source}', source).replaceAll('{env}', env));
    if (head === '{make-env}' && python) return makeEnvironment(python, env);
    if (head === '{install}' && python) return installWheels(python, env, rest);
    if (head === '{install-locked}' && python)
      return installLocked(python, env, { requirements: rest[0] ?? '', complete: words[1] === 'complete' });
    const program = findOnPath(head as string, this.#options.environment['PATH']);
    if (!program) throw new AppError('mcp_import_failed', `${head} was not found; it is needed to build this server.`);
    return [program, ...rest];
  }

  /** A power cut must not leave a server that is in the books and empty on disk; its thousands of files go at once. */
  async #flush(folder: string): Promise<void> {
    const { environment } = this.#options;
    const sync = findOnPath('sync', environment['PATH']);
    if (sync) await runCommand([sync, '--file-system', folder], { environment: {}, timeoutMs: FLUSH_MS });
  }

  /**
   * The newest version of a Python package that has a wheel; nothing of it is run.
   * @param folder  an existing one, for what the client writes meanwhile
   * @throws AppError `mcp_import_failed`, `cancelled`
   */
  async newestWheel(name: string, folder: string, signal: AbortSignal): Promise<string> {
    const python = await findPython(this.#options.environment);
    const wanted = join(folder, 'wanted.txt');
    await Promise.all([folder, this.#options.cacheDir].map((path) => mkdir(path, { recursive: true, mode: 0o700 })));
    await writeFile(wanted, `${name}\n`);
    const places = { source: folder, env: folder, python };
    const result = await this.#run(askNewest(python, wanted), true, places, signal);
    await rm(wanted, { force: true });
    if (signal.aborted) throw new AppError('cancelled', 'The import was cancelled.');
    if (!result.ok)
      throw new AppError('mcp_import_failed', `The Python index has no wheel of ${name}: ${lastLines(result)}`);
    const version = newestIn(python, result.stdout);
    if (version === undefined)
      throw new AppError('mcp_import_failed', `The Python index does not say which version ${name} has.`);
    return version;
  }

  #run(command: readonly string[], network: boolean, { source, env, python }: Places, signal: AbortSignal) {
    const { isolation, environment, cacheDir, newMark } = this.#options;
    const home = environment['HOME'] ?? homedir();
    const npmrc = join(home, '.npmrc');
    const pipConfig = [join(home, '.config', 'pip', 'pip.conf'), join(home, '.pip', 'pip.conf')].find((path) =>
      existsSync(path),
    );
    const uvToml = join(home, '.config', 'uv', 'uv.toml');
    const uvConfig = existsSync(uvToml) ? uvToml : undefined;
    const [program, ...args] = command as [string, ...string[]];
    const inSource = program.endsWith('npm');
    const own = Object.fromEntries(
      Object.entries(environment).filter(
        (entry): entry is [string, string] => entry[1] !== undefined && REGISTRY_VARIABLES.test(entry[0]),
      ),
    );
    const index = python?.uv
      ? uvIndexVariables({ environment, home, machine: PIP_OF_MACHINE, python: python.home, uvConfig })
      : {};
    const wrapped = isolation.wrap(isolation.best, {
      command: program,
      args,
      cwd: inSource ? source : env,
      network,
      readable: [
        PIP_OF_MACHINE,
        '/etc/npmrc',
        dirname(process.execPath),
        npmrc,
        // Python in a folder of its own, and through the links of an environment.
        ...(python && isAbsolute(python.home) && python.home !== '/' ? [python.home] : []),
        // Where certificates and packages of one's own lie.
        ...[...Object.values(own), ...Object.values(index).flatMap((value) => value.split(','))].filter((value) =>
          isAbsolute(value),
        ),
        ...(pipConfig ? [dirname(pipConfig)] : []),
        ...(uvConfig ? [uvConfig] : []),
      ],
      writable: [source, env, cacheDir],
    });
    return runCommand(wrapped, {
      environment: {
        ...pick(environment, ['PATH', 'LANG']),
        ...own,
        ...index,
        HOME: cacheDir,
        XDG_CACHE_HOME: cacheDir,
        npm_config_cache: join(cacheDir, 'npm'),
        npm_config_ignore_scripts: 'true',
        // The lock file names versions and hashes; where they lie is said here.
        npm_config_replace_registry_host: 'always',
        npm_config_git: '/bin/false',
        UV_LINK_MODE: 'copy',
        ...(existsSync(npmrc) ? { NPM_CONFIG_USERCONFIG: npmrc } : {}),
        ...(pipConfig ? { PIP_CONFIG_FILE: pipConfig } : {}),
        ...(uvConfig && own['UV_CONFIG_FILE'] === undefined ? { UV_CONFIG_FILE: uvConfig } : {}),
      },
      timeoutMs: STEP_MS,
      cwd: inSource ? source : env,
      signal,
      mark: newMark(),
      outputKept: OUTPUT_KEPT,
    });
  }
}

/** What a lock file names, as pip and uv both read it. @throws AppError `mcp_import_failed`, `mcp_lock_mismatch` */
async function writeLocked(file: string | undefined, { source, env }: Places): Promise<void> {
  const known = PYTHON_LOCKS.find((name) => name === file);
  const lock = known && readPythonLock(source, known);
  if (!lock) throw new AppError('mcp_import_failed', `There is no lock file ${file}.`);
  await writeFile(join(env, 'locked.txt'), asRequirements(lock));
}

const lastLines = ({ stderr, stdout, message }: CommandResult): string =>
  (stderr.trim() || stdout.trim() || message).split('\n').slice(-5).join('\n').slice(-800);
