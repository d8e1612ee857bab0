// `make test`: format, lint, dead code, types and all tests, in this order. Every step runs, whatever failed before it.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { buildServer, buildWeb } from './build.mjs';
import { install } from './install.mjs';
import { giveUp, ROOT, run } from './run.mjs';
import { findBrowser, findEmbeddingModel, findMcpServers, findOllama, findStarterModel } from './test-tools.mjs';

const REPORTS = join(ROOT, 'dist', 'test-reports');
const bin = (name, folder = '') => join(ROOT, folder, 'node_modules', '.bin', name);

/** @type {{ name: string, status: 'passed' | 'failed' | 'skipped', passed: number, failed: number, skipped: number, why?: string, failures?: string[] }[]} */
const results = [];

rmSync(REPORTS, { recursive: true, force: true });
mkdirSync(REPORTS, { recursive: true });
await install('', 'full').catch(giveUp);
if (existsSync(join(ROOT, 'web', 'package.json'))) await install('web', 'full').catch(giveUp);

await tool('format and lint', bin('biome'), ['check', '.']);
await tool('dead code', bin('knip'), []);
await tool('types', bin('tsc'), ['-p', 'tsconfig.json']);
if (existsSync(join(ROOT, 'web', 'tsconfig.json')))
  await tool('types of web/', bin('tsc'), ['-p', 'web/tsconfig.json']);
await build();
const mcp = await findMcpServers();
if (mcp.missing) console.error(`the tests with uv are skipped: ${mcp.missing}`);
await tests('unit', undefined, { VENOM_TEST_MCP: mcp.path ?? '' });
const browser = await findBrowser();
await tests('browser', browser.missing, { VENOM_CHROMIUM: browser.path });
await tests('mcp', mcp.missing, { VENOM_TEST_MCP: mcp.path });
const model = await findStarterModel();
const ollama = model.missing ? { missing: model.missing } : await findOllama();
if (ollama.missing) console.error(`the tests with Ollama are skipped: ${ollama.missing}`);
const embedding = await findEmbeddingModel();
if (embedding.missing) console.error(`the tests with an embedding model are skipped: ${embedding.missing}`);
await tests('model', model.missing, {
  VENOM_TEST_MODEL: model.path,
  OLLAMA_BINARY: ollama.path ?? '',
  VENOM_TEST_EMBEDDING_MODEL: embedding.path ?? '',
});
conclude();

async function tool(name, program, args) {
  heading(name);
  const code = await run(program, args).catch(() => 1);
  results.push(asStep(name, code === 0));
}

async function build() {
  heading('build');
  const ok = await buildServer()
    .then(() => buildWeb('full'))
    .then(
      () => true,
      (error) => {
        console.error(error.message);
        return false;
      },
    );
  results.push(asStep('build', ok));
}

/** One vitest project; its JSON report says what passed, and its absence is a failure. */
async function tests(project, missing, env = {}) {
  const name = `${project} tests`;
  heading(name);
  if (missing) {
    console.error(`skipped: ${missing}`);
    results.push({ name, status: 'skipped', passed: 0, failed: 0, skipped: 0, why: missing });
    return;
  }
  const report = join(REPORTS, `${project}.json`);
  const args = ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const code = await run(bin('vitest'), args, { env: { ...process.env, ...env } }).catch(() => 1);
  if (!existsSync(report)) {
    results.push({ ...asStep(name, false), why: 'the run ended without a report' });
    return;
  }
  const {
    numPassedTests: passed,
    numFailedTests,
    numPendingTests,
    numTodoTests,
    testResults,
  } = JSON.parse(readFileSync(report, 'utf8'));
  // A file that cannot be loaded and an uncaught error fail the run without failing a test.
  const failed = code !== 0 && numFailedTests === 0 ? 1 : numFailedTests;
  results.push({
    name,
    status: failed === 0 ? 'passed' : 'failed',
    passed,
    failed,
    skipped: numPendingTests + numTodoTests,
    failures: failuresOf(testResults),
  });
}

/** Each failed test with the first lines of its reason, so that the end of a log is enough to know what broke. */
function failuresOf(files) {
  return files.flatMap(({ name, message, assertionResults }) => {
    const failed = assertionResults.filter(({ status }) => status === 'failed');
    const file = relative(ROOT, name);
    if (failed.length === 0 && message) return [`${file}: ${reason(message)}`];
    return failed.map(
      ({ fullName, failureMessages }) => `${file} > ${fullName}: ${reason(failureMessages.join('\n'))}`,
    );
  });
}

function reason(message) {
  return stripVTControlCharacters(message).split('\n').slice(0, 6).join('\n    ').slice(0, 800);
}

function conclude() {
  heading('result');
  for (const { name, status, passed, failed, skipped, why, failures } of results) {
    const counts =
      name.endsWith(' tests') && status !== 'skipped' ? ` ${passed} passed, ${failed} failed, ${skipped} skipped` : '';
    console.error(`${status.padEnd(8)} ${name}${counts}${why ? `: ${why}` : ''}`);
    for (const failure of failures ?? []) console.error(`  ✗ ${failure}`);
  }
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  const summary = { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped'), results };
  writeFileSync(join(ROOT, 'dist', 'test-reports', 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
  process.exitCode = summary.failed === 0 ? 0 : 1;
}

/** A tool that complains counts as one failed test, so that the sum never looks better than the run. */
function asStep(name, ok) {
  return { name, status: ok ? 'passed' : 'failed', passed: 0, failed: ok ? 0 : 1, skipped: 0 };
}

function heading(text) {
  console.error(`\n── ${text} ──`);
}
