// What a fetched repository needs to be built and how its server starts, found by reading its files. Nothing of it is run.
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, isAbsolute, join, relative } from 'node:path';
import { parse as parseToml } from 'smol-toml';
import { AppError } from '../../shared/errors.js';
import { isWithin } from '../../shared/is-within.js';
import type { BuildStep } from './import-plan.js';

const FILE_BYTES_MAX = 1_048_576;
const LOCK_BYTES_MAX = 20 * 1_048_576;
const LOCK_FILES = ['npm-shrinkwrap.json', 'package-lock.json'];
const DEPENDENCIES_MAX = 500;
/** A name with bounds: no address, no path, no option. */
const REQUIREMENT =
  /^[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9._,\s-]*\])?\s*([<>=!~][^;@\s]*(\s*,\s*[<>=!~][^;@\s]*)*)?\s*(;[^@]*)?$/;
const ENTRY = /^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$/;
const PYTHON_FILES = ['server.py', 'main.py', 'app.py', 'src/server.py', 'src/main.py'];

export interface Inspection {
  language: 'python' | 'node';
  build: readonly BuildStep[];
  command: string;
  args: readonly string[];
  environment: Readonly<Record<string, string>>;
  dependencies: readonly string[];
  warnings: readonly string[];
}

/**
 * @param entrypoint  such as `python server.py` or `node dist/index.js`; found where it is null
 * @throws AppError `mcp_import_failed` with what would help
 */
export function inspectRepository(folder: string, entrypoint: string | null): Inspection {
  if (existsSync(join(folder, 'package.json')) && !/^python/.test(entrypoint ?? ''))
    return inspectNode(folder, entrypoint);
  const python = ['pyproject.toml', 'requirements.txt', 'setup.py', ...PYTHON_FILES].some((name) =>
    existsSync(join(folder, name)),
  );
  if (python || /^python/.test(entrypoint ?? '')) return inspectPython(folder, entrypoint);
  throw refused('neither package.json, pyproject.toml nor requirements.txt was found');
}

/** @throws AppError `mcp_import_failed` */
export function inspectPython(folder: string, entrypoint: string | null): Inspection {
  const project = readProject(folder);
  const requirements = requirementsOf(folder);
  const dependencies = [...new Set([...requirements, ...project.dependencies])];
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
  const warnings = project.dynamic
    ? ['Some of its dependencies are told only when it is built, and are left out.']
    : [];
  return {
    language: 'python',
    build: [
      { title: 'Make an environment', command: ['{make-env}'], network: false },
      ...(dependencies.length === 0
        ? []
        : [{ title: 'Install what it needs, as wheels only', command: ['{install}', ...dependencies], network: true }]),
    ],
    command: '{env}/bin/python',
    args: pythonArguments(folder, entrypoint, project.scripts),
    environment: { PYTHONPATH: roots.map((root) => (root === '.' ? '{source}' : `{source}/${root}`)).join(':') },
    dependencies,
    warnings,
  };
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

function inspectNode(folder: string, entrypoint: string | null): Inspection {
  const manifest = readJson(join(folder, 'package.json'));
  const { bin, main, name } = manifest;
  const dependencies = Object.entries(asStrings(manifest['dependencies'])).map(([own, version]) => `${own}@${version}`);
  const remote = dependencies.find((own) => /@(git|https?|file|github|link|ssh)[:+]|@[\w.-]+\/[\w.-]+$/.test(own));
  if (remote) throw refused(`it depends on something that is no package of the registry: ${remote.slice(0, 200)}`);
  const words = entrypoint?.trim().split(/\s+/) ?? [];
  const bins = typeof bin === 'string' ? { [String(name)]: bin } : asStrings(bin);
  const file =
    words[0] === 'node'
      ? words[1]
      : words[0] !== undefined
        ? (bins[words[0]] ?? words[0])
        : (Object.values(bins)[0] ?? (typeof main === 'string' ? main : undefined));
  if (file === undefined) throw refused('no entry point was found; name it, such as: node server.js');
  const locked = LOCK_FILES.some((file) => existsSync(join(folder, file)));
  if (dependencies.length > 0) refuseForeignPackages(folder);
  return {
    language: 'node',
    build:
      dependencies.length === 0
        ? []
        : [
            {
              title: locked
                ? 'Install exactly what its lock file names, without scripts'
                : 'Install what it needs, without scripts',
              command: ['npm', locked ? 'ci' : 'install', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'],
              network: true,
            },
          ],
    command: '{node}',
    args: [inSource(folder, file), ...words.slice(words[0] === 'node' ? 2 : 1)],
    environment: {},
    dependencies,
    warnings: locked || dependencies.length === 0 ? [] : ['It has no lock file: what it needs is not pinned.'],
  };
}

/** Nothing from elsewhere than the registry, which is asked by this machine's own settings. */
function refuseForeignPackages(folder: string): void {
  for (const file of LOCK_FILES) {
    if (!existsSync(join(folder, file))) continue;
    const { packages, dependencies } = readJson(join(folder, file), LOCK_BYTES_MAX);
    // Written by an npm that knew nothing else; the nested form would have to be walked.
    if (packages === undefined && dependencies !== undefined) throw refused(`its ${file} is of an old form`);
    for (const [path, entry] of Object.entries((packages ?? {}) as Record<string, Record<string, unknown>>)) {
      const { resolved, link } = entry;
      if (path === '') continue;
      if (link === true || (typeof resolved === 'string' && !/^https?:\/\/[^?#]+\.tgz$/.test(resolved)))
        throw refused(`${file} takes ${path.slice(0, 100)} from something that is no registry`);
    }
  }
}

/** A file of the repository, links followed, as it will be named. */
function inSource(folder: string, file: string): string {
  const path = join(folder, file);
  if (isAbsolute(file) || !existsSync(path))
    throw refused(`${file.slice(0, 200)} is not there; a server that must be built first cannot be imported`);
  const [root, real] = [realpathSync(folder), realpathSync(path)];
  if (!isWithin(root, real)) throw refused(`${file.slice(0, 200)} lies outside`);
  return `{source}/${relative(root, real)}`;
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

function readJson(path: string, bytesMax = FILE_BYTES_MAX): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(readBounded(path, bytesMax));
  } catch (error) {
    if (error instanceof AppError) throw error;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refused(`its ${basename(path)} cannot be read`);
  return value as Record<string, unknown>;
}

function readBounded(path: string, bytesMax = FILE_BYTES_MAX): string {
  if (statSync(path).size > bytesMax) throw refused(`its ${basename(path)} is larger than ${bytesMax / 1_048_576} MB`);
  return readFileSync(path, 'utf8');
}

const asStrings = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(typeof value === 'object' && value !== null ? value : {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );

const refused = (reason: string): AppError => new AppError('mcp_import_failed', `It cannot be imported: ${reason}.`);
