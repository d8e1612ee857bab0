// A server that is published as a package of npm or the Python index: pinned to one version, asked of the registry through
// its ordinary client.
import { AppError } from '../../shared/errors.js';
import { runCommand } from '../../shared/run-command.js';
import type { BuildStep } from './import-plan.js';
import { findOnPath } from './isolation.js';

const ASK_MS = 60_000;
export const NPM_NAME = /^(@[a-z0-9~][a-z0-9._~-]*\/)?[a-z0-9~][a-z0-9._~-]{0,213}$/;
export const PYPI_NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$/;
const VERSION = /^[0-9A-Za-z][0-9A-Za-z.+_-]{0,99}$/;

export interface PackageFacts {
  version: string;
  build: readonly BuildStep[];
  command: string;
  args: readonly string[];
  warnings: readonly string[];
}

export interface PackageRequest {
  name: string;
  version: string | null;
  /** Of its programs, where it has several. */
  program: string | null;
  args: readonly string[];
  signal: AbortSignal;
}

/** @throws AppError `invalid_input`, `mcp_import_failed` */
export async function lookUpNpm(
  { name, version, program, args, signal }: PackageRequest,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<PackageFacts> {
  check(name, NPM_NAME, version);
  const npm = findOnPath('npm', environment['PATH']);
  if (!npm) throw new AppError('mcp_import_failed', 'npm was not found; it is needed to import this package.');
  const spec = `${name}@${version ?? 'latest'}`;
  const result = await runCommand(
    [npm, 'view', '--json', '--', spec, 'name', 'version', 'bin', 'dist.integrity', 'deprecated'],
    {
      environment: known(environment),
      timeoutMs: ASK_MS,
      signal,
    },
  );
  if (!result.ok) throw new AppError('mcp_import_failed', `The npm registry does not know ${spec}.`);
  const answer = JSON.parse(result.stdout) as Record<string, unknown> | Record<string, unknown>[];
  const facts = (Array.isArray(answer) ? answer.at(-1) : answer) ?? {};
  const found = String(facts['version']);
  const bins =
    typeof facts['bin'] === 'string' ? { [name]: facts['bin'] } : ((facts['bin'] ?? {}) as Record<string, string>);
  const file = program === null ? Object.values(bins)[0] : bins[program];
  if (!VERSION.test(found) || typeof file !== 'string' || file.includes('..'))
    throw new AppError('mcp_import_failed', `${spec} has no program${program === null ? '' : ` ${program}`} to start.`);
  return {
    version: found,
    build: [
      {
        title: `Install ${name} ${found}, without scripts`,
        command: [
          'npm',
          'install',
          '--ignore-scripts',
          '--no-audit',
          '--no-fund',
          '--save-exact',
          '--',
          `${name}@${found}`,
        ],
        network: true,
      },
    ],
    command: '{node}',
    args: [`{source}/node_modules/${name}/${file.replace(/^\.\//, '')}`, ...args],
    warnings: typeof facts['deprecated'] === 'string' ? [`Deprecated: ${facts['deprecated'].slice(0, 300)}`] : [],
  };
}

/** Pinned to one version, the newest where none is named; built of a wheel of exactly this version, or not at all. */
export async function lookUpPypi(
  { name, version: wanted, program, args }: Omit<PackageRequest, 'signal'>,
  newest: (name: string) => Promise<string>,
): Promise<PackageFacts> {
  check(name, PYPI_NAME, wanted);
  const version = wanted ?? (await newest(name));
  check(name, PYPI_NAME, version);
  const script = program ?? name;
  if (!PYPI_NAME.test(script)) throw new AppError('invalid_input', 'This is no name of a program.');
  return {
    version,
    build: [
      { title: 'Make an environment', command: ['{make-env}'], network: false },
      {
        title: `Install ${name} ${version}, as wheels only`,
        command: ['{install}', `${name}==${version}`],
        network: true,
      },
    ],
    command: '{env}/bin/python',
    // Its first line names a folder that is gone after the move; python does not read it.
    args: [`{env}/bin/${script}`, ...args],
    warnings: [],
  };
}

function check(name: string, pattern: RegExp, version: string | null): void {
  if (!pattern.test(name))
    throw new AppError('invalid_input', `${JSON.stringify(name.slice(0, 100))} is no name of a package.`);
  if (version !== null && !VERSION.test(version))
    throw new AppError('invalid_input', 'This is no version; name exactly one.');
}

const known = (environment: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined &&
        /^(PATH|HOME|LANG|npm_config_|NPM_CONFIG_|https?_proxy$|HTTPS?_PROXY$|no_proxy$|NO_PROXY$|SSL_CERT_|NODE_EXTRA_CA_CERTS)/.test(
          entry[0],
        ),
    ),
  );
