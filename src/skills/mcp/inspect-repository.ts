// What a fetched repository needs to be built and how its server starts, found by reading its files. Nothing of it is run.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { BuildStep, PlannedLock } from './import-plan.js';
import { inspectNode } from './inspect-node.js';
import { inspectPython, PYTHON_FILES } from './inspect-python.js';
import { refused } from './repository-files.js';

export interface Inspection {
  language: 'python' | 'node';
  build: readonly BuildStep[];
  command: string;
  args: readonly string[];
  environment: Readonly<Record<string, string>>;
  dependencies: readonly string[];
  /** Null where nothing pins what it needs, or it needs nothing. */
  lock: PlannedLock | null;
  warnings: readonly string[];
}

export interface InspectionOptions {
  /** Whether it is here: uv.lock is read by it alone. */
  uv: boolean;
  /** The person who imports knows that the lock does not fit. */
  ignoreLock: boolean;
}

/**
 * @param entrypoint  such as `python server.py` or `node dist/index.js`; found where it is null
 * @throws AppError `mcp_import_failed` with what would help, `mcp_lock_mismatch`
 */
export function inspectRepository(folder: string, entrypoint: string | null, options: InspectionOptions): Inspection {
  if (existsSync(join(folder, 'package.json')) && !/^python/.test(entrypoint ?? ''))
    return inspectNode(folder, entrypoint, options);
  const python = ['pyproject.toml', 'requirements.txt', 'setup.py', ...PYTHON_FILES].some((name) =>
    existsSync(join(folder, name)),
  );
  if (python || /^python/.test(entrypoint ?? '')) return inspectPython(folder, entrypoint, options);
  throw refused('neither package.json, pyproject.toml nor requirements.txt was found');
}
