// What a server of Python needs and how it starts: pyproject.toml, requirements.txt, and the lock where there is one.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseToml } from 'smol-toml';
import type { BuildStep } from './import-plan.js';
import type { Inspection, InspectionOptions } from './inspect-repository.js';
import { checkLockFits, findPythonLock, hasHashes, PYTHON_LOCKS, type PythonLock } from './python-lock.js';
import { asStrings, inSource, readBounded, refused } from './repository-files.js';

const DEPENDENCIES_MAX = 500;
/** A name with bounds: no address, no path, no option. */
const REQUIREMENT =
  /^[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9._,\s-]*\])?\s*([<>=!~][^;@\s]*(\s*,\s*[<>=!~][^;@\s]*)*)?\s*(;[^@]*)?$/;
const ENTRY = /^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$/;
export const PYTHON_FILES = ['server.py', 'main.py', 'app.py', 'src/server.py', 'src/main.py'];
/** Of tools that are not used here. */
const OTHER_LOCKS = ['poetry.lock', 'pdm.lock', 'Pipfile.lock'];

/** @throws AppError `mcp_import_failed`, `mcp_lock_mismatch` */
export function inspectPython(
  folder: string,
  entrypoint: string | null,
  { uv, ignoreLock }: InspectionOptions,
): Inspection {
  const project = readProject(folder);
  const { lock, warnings: unlocked } = pythonLock(folder, { uv, ignoreLock });
  if (lock && !project.dynamic) checkLockFits(folder, lock, project.dependencies);
  // A list with hashes is a lock itself; what is needed is said by the project.
  const aside = ignoreLock && project.dependencies.length > 0 && hasHashes(folder);
  const requirements = lock || aside ? [] : requirementsOf(folder);
  const dependencies = lock
    ? [...new Set(lock.packages.map(({ name, version }) => `${name}==${version}`))].slice(0, DEPENDENCIES_MAX)
    : [...new Set([...requirements, ...project.dependencies])];
  if (dependencies.length === 0 && existsSync(join(folder, 'setup.py')) && !project.named)
    throw refused(
      'its dependencies are told only by a program (setup.py), which is not run; name them in requirements.txt',
    );
  for (const dependency of dependencies)
    if (!REQUIREMENT.test(dependency))
      throw refused(`it depends on something that is no package with bounds: ${dependency.slice(0, 100)}`);
  // The package itself is not built, because building runs its code: it is imported from where it lies.
  const roots = ['src', '.'].filter(
    (root) => existsSync(join(folder, root)) && (root === '.' || !existsSync(join(folder, root, '__init__.py'))),
  );
  const warnings = [
    ...(project.dynamic && !lock ? ['Some of its dependencies are told only when it is built, and are left out.'] : []),
    ...(dependencies.length > 0 ? unlocked : []),
  ];
  return {
    language: 'python',
    build: [
      { title: 'Make an environment', command: ['{make-env}'], network: false },
      ...(dependencies.length === 0
        ? []
        : lock
          ? installLocked(lock)
          : [
              {
                title: 'Install what it needs, as wheels only',
                command: ['{install}', ...dependencies],
                network: true,
              },
            ]),
    ],
    command: '{env}/bin/python',
    args: pythonArguments(folder, entrypoint, project.scripts),
    environment: { PYTHONPATH: roots.map((root) => (root === '.' ? '{source}' : `{source}/${root}`)).join(':') },
    dependencies,
    lock: lock && { file: lock.file, sha256: lock.sha256, packages: lock.packages.length },
    warnings,
  };
}

function pythonLock(
  folder: string,
  { uv, ignoreLock }: InspectionOptions,
): { lock: PythonLock | null; warnings: string[] } {
  const other = OTHER_LOCKS.find((name) => existsSync(join(folder, name)));
  const unpinned = 'what it needs is not pinned: the newest packages it allows are installed';
  if (ignoreLock) return { lock: null, warnings: [`Its lock file is left aside, as you asked; ${unpinned}.`] };
  const hasUvLock = existsSync(join(folder, 'uv.lock'));
  const lock = findPythonLock(folder, uv ? PYTHON_LOCKS : PYTHON_LOCKS.filter((name) => name !== 'uv.lock'));
  if (lock) return { lock, warnings: [] };
  if (hasUvLock)
    return {
      lock: null,
      warnings: [`Its uv.lock is not used, because uv is not here; ${unpinned}. Install uv first.`],
    };
  return {
    lock: null,
    warnings: [other === undefined ? `It has no lock file; ${unpinned}.` : `Its ${other} is not used; ${unpinned}.`],
  };
}

const EXPORTED = '{env}/locked.txt';

/** Not by `uv sync`: that would build the project, and would fetch from where its author did instead of where this machine does. */
function installLocked({ file, packages }: PythonLock): BuildStep[] {
  const read =
    file === 'uv.lock'
      ? {
          title: `Read the ${packages.length} packages of ${file}, with their hashes`,
          command: [
            ...['uv', 'export', '--frozen', '--offline', '--no-config', '--no-python-downloads', '--quiet'],
            ...['--no-dev', '--no-emit-workspace', '--no-header', '--no-annotate', '--project', '{source}'],
            ...['--output-file', EXPORTED],
          ],
          network: false,
        }
      : {
          title: `Read the ${packages.length} packages of ${file}, with their hashes`,
          command: ['{read-lock}', file],
          network: false,
        };
  const title = `Install exactly what ${file} names, as wheels only, hashes checked`;
  // Of a file that people may write themselves, pip sees whether anything is missing.
  const complete = file === 'requirements.txt' ? [] : ['complete'];
  return [read, { title, command: ['{install-locked}', EXPORTED, ...complete], network: true }];
}

function pythonArguments(folder: string, entrypoint: string | null, scripts: ReadonlyMap<string, string>): string[] {
  const words = entrypoint?.trim().split(/\s+/) ?? [];
  const first = words[0]?.replace(/^python3?$/, 'python');
  if (first === 'python') {
    const rest = words.slice(1);
    if (rest[0] === '-m' && /^[A-Za-z_][\w.]*$/.test(rest[1] ?? '')) return rest;
    if (rest[0]?.endsWith('.py')) return [inSource(folder, rest[0]), ...rest.slice(1)];
    throw refused('after python comes a file of the repository or -m and a module');
  }
  const script = first === undefined ? [...scripts.values()][0] : scripts.get(first);
  if (script !== undefined) {
    if (!ENTRY.test(script)) throw refused(`its script is no module:function: ${script.slice(0, 100)}`);
    const [module, name] = script.split(':') as [string, string];
    return ['-c', `import sys; from ${module} import ${name.split('.')[0]}; sys.exit(${name}())`, ...words.slice(1)];
  }
  if (first !== undefined) throw refused(`it has no script ${first.slice(0, 100)}`);
  const file = PYTHON_FILES.find((name) => existsSync(join(folder, name)));
  if (file === undefined) throw refused('no entry point was found; name it, such as: python server.py');
  return [inSource(folder, file)];
}

function readProject(folder: string) {
  const path = join(folder, 'pyproject.toml');
  const none = { named: false, dynamic: false, dependencies: [] as string[], scripts: new Map<string, string>() };
  if (!existsSync(path)) return none;
  let parsed: Record<string, unknown>;
  try {
    parsed = parseToml(readBounded(path)) as Record<string, unknown>;
  } catch {
    throw refused('its pyproject.toml cannot be read');
  }
  const project = (parsed['project'] ?? {}) as Record<string, unknown>;
  const listed = Array.isArray(project['dependencies']) ? project['dependencies'].map(String) : [];
  return {
    named: typeof project['name'] === 'string',
    dynamic: Array.isArray(project['dynamic']) && project['dynamic'].includes('dependencies'),
    dependencies: listed.slice(0, DEPENDENCIES_MAX).map((text) => text.trim()),
    scripts: new Map(Object.entries(asStrings(project['scripts']))),
  };
}

function requirementsOf(folder: string): string[] {
  const path = join(folder, 'requirements.txt');
  if (!existsSync(path)) return [];
  return readBounded(path)
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '')
    .slice(0, DEPENDENCIES_MAX);
}
