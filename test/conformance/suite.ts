// Runs the official conformance suite, a program of its own, against one endpoint.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const LIMIT_MS = 120_000;

const SUITE = find();

function find(): string | null {
  try {
    const manifest = createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json');
    return join(dirname(manifest), 'dist', 'index.js');
  } catch {
    return null;
  }
}

/** Why the suite cannot run here; null where it can. */
export const suiteMissing: string | null =
  SUITE !== null && existsSync(SUITE)
    ? null
    : '@modelcontextprotocol/conformance is not installed; `npm install` fetches it';

export interface SuiteRun {
  /** 0 where every scored scenario passed. */
  code: number;
  output: string;
  /** Single checks that passed. */
  passed: number;
  /** Lines of the report that name a failure. */
  failures: string[];
}

export const runServerSuite = (url: string, selection: readonly string[]): Promise<SuiteRun> =>
  runSuite(['server', '--url', url, ...selection]);

/** @param command  starts the client; the address of the suite's server is put behind it */
export const runClientSuite = (command: string, selection: readonly string[]): Promise<SuiteRun> =>
  runSuite(['client', '--command', command, ...selection]);

async function runSuite(order: readonly string[]): Promise<SuiteRun> {
  if (SUITE === null) throw new Error('The suite is not installed.');
  const suite = SUITE;
  const results = mkdtempSync(join(tmpdir(), 'venom-conformance-'));
  const colours = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');
  try {
    return await new Promise((resolve) => {
      execFile(
        process.execPath,
        [suite, ...order, '-o', results],
        { timeout: LIMIT_MS, maxBuffer: 64 * 1_048_576, cwd: results },
        (error, stdout, stderr) => {
          const output = `${stdout}\n${stderr}`.replace(colours, '');
          resolve({
            code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1,
            output,
            passed: Number(/Total: (\d+) passed/.exec(output)?.[1] ?? /Passed: (\d+)\//.exec(output)?.[1] ?? 0),
            failures: output.split('\n').filter((line) => /✗|FAIL/.test(line)),
          });
        },
      );
    });
  } finally {
    rmSync(results, { recursive: true, force: true });
  }
}
