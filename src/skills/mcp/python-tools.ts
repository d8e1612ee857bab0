// How an environment of Python is made and filled: by uv where it is, else by Python's own venv and pip. Wheels only, so that
// nothing of a package is run. Commands; who runs them is another's.
import { existsSync } from 'node:fs';
import { AppError } from '../../shared/errors.js';
import { runCommand } from '../../shared/run-command.js';
import { pick } from './git-source.js';
import { findOnPath } from './isolation.js';

const WHERE_PYTHON_IS = `import os, sys
print(os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable))
print(sys.base_prefix)
try:
  from importlib.metadata import version
  print(version("pip"))
except Exception:
  pass`;
/** From here on pip installs into an environment that has none of its own; making one takes most of the time. */
const PIP_FOR_OTHERS = [22, 3] as const;
const PIP = ['-m', 'pip', '--no-input', '--disable-pip-version-check'];
const WHEELS_ONLY = ['--only-binary', ':all:'];

export interface PythonTools {
  uv: string | null;
  /** The interpreter itself: a shim or a link in its place would not work where what it leads to cannot be seen. */
  python: string;
  /** Where its library lies. */
  home: string;
  pipForOthers: boolean;
}

/** @throws AppError `mcp_import_failed` */
export async function findPython(environment: Readonly<Record<string, string | undefined>>): Promise<PythonTools> {
  for (const name of ['python3', 'python']) {
    const found = findOnPath(name, environment['PATH']);
    if (!found) continue;
    const result = await runCommand([found, '-c', WHERE_PYTHON_IS], {
      environment: pick(environment, ['PATH', 'HOME']),
      timeoutMs: 10_000,
    });
    const [python = '', home = '', pip = ''] = result.stdout.trim().split('\n');
    const [major = 0, minor = 0] = pip.split('.').map(Number);
    const pipForOthers = major > PIP_FOR_OTHERS[0] || (major === PIP_FOR_OTHERS[0] && minor >= PIP_FOR_OTHERS[1]);
    if (result.ok && existsSync(python))
      return { uv: findOnPath('uv', environment['PATH']), python, home, pipForOthers };
  }
  throw new AppError('mcp_import_failed', 'Python 3 was not found; it is needed to build this server.');
}

export function makeEnvironment({ uv, python, pipForOthers }: PythonTools, env: string): string[] {
  if (uv) return [uv, 'venv', '--quiet', '--clear', '--python', python, env];
  return [python, '-m', 'venv', '--clear', ...(pipForOthers ? ['--without-pip'] : []), env];
}

export const installWheels = (tools: PythonTools, env: string, packages: readonly string[]): string[] =>
  install(tools, env, ['--', ...packages]);

/**
 * Exactly these files: what is not named with a hash is not installed.
 * @param complete  the file names everything, and was not written by hand
 */
export const installLocked = (
  tools: PythonTools,
  env: string,
  { requirements, complete }: { requirements: string; complete: boolean },
): string[] => install(tools, env, ['--require-hashes', ...(complete ? ['--no-deps'] : []), '-r', requirements]);

function install({ uv, python, pipForOthers }: PythonTools, env: string, what: readonly string[]): string[] {
  const own = `${env}/bin/python`;
  // Compiled once, as pip does it: a server may not write beside its packages, and would compile them at every start.
  if (uv) return [uv, 'pip', 'install', '--quiet', '--compile-bytecode', '--python', own, ...WHEELS_ONLY, ...what];
  const pip = pipForOthers ? [python, ...PIP, '--python', own] : [own, ...PIP];
  return [...pip, 'install', '--quiet', ...WHEELS_ONLY, ...what];
}

/** @param wanted  a file that names the package */
export function askNewest({ uv, python }: PythonTools, wanted: string): string[] {
  const only = ['--quiet', '--no-deps', ...WHEELS_ONLY];
  if (uv) return [uv, 'pip', 'compile', ...only, '--no-header', '--no-annotate', '--python', python, '--', wanted];
  return [python, ...PIP, 'install', ...only, '--dry-run', '--ignore-installed', '--report', '-', '-r', wanted];
}

/** The version in what was answered to that. */
export function newestIn({ uv }: PythonTools, answer: string): string | undefined {
  if (uv) return /==\s*(\S+)/.exec(answer)?.[1];
  try {
    const { install } = JSON.parse(answer) as { install?: { metadata?: { version?: unknown } }[] };
    const version = install?.[0]?.metadata?.version;
    return typeof version === 'string' ? version : undefined;
  } catch {
    return undefined;
  }
}
