// The agents that work in a fixed order, on a real workspace with git and the sandbox: what they run, what they show, and what
// they do not do without a yes.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { machineWith } from '../stand-ins/isolation.js';
import { type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';
import { TaskClient, type VenomTask } from './task-client.js';

// Commands are run in a sandbox or not at all.
const hasSandbox = (await machineWith('sandboxed')).best !== 'plain';
if (!hasSandbox) console.log('skipped: the Tester needs bubblewrap or unshare, and neither works here');

let upstream: FakeUpstream;
let server: TestServer;
let client: TaskClient;
let workspace: string;

beforeEach(async () => {
  workspace = mkdtempSync(join(tmpdir(), 'venom-workspace-'));
  upstream = await startFakeUpstream();
  upstream.behaviour = streams(['What the model says.']);
  // Where the sandbox is found.
  const { PATH = '' } = process.env;
  server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url, WORKSPACE_ROOT: workspace }, undefined, { PATH });
  client = new TaskClient(server.url);
});
afterEach(async () => {
  await server.close();
  await upstream.close();
  rmSync(workspace, { recursive: true, force: true });
});

const put = (path: string, text: string) => {
  const file = join(workspace, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, text);
};
const read = (path: string) => readFileSync(join(workspace, path), 'utf8');
const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@localhost', ...args], {
    cwd: workspace,
    encoding: 'utf8',
  });
const commit = (subject: string) => git('commit', '--quiet', '--allow-empty', '--message', subject);

interface Approval {
  approval_id: string;
  tool: string;
  arguments: Record<string, unknown>;
}

/** Runs a task, and answers whatever it asks a person for. */
async function run(content: string, intent: string, decision: 'once' | 'deny' = 'once') {
  const id = await client.submit({ content, forced_intent: intent, session_id: 's-1' });
  const asked: Approval[] = [];
  const ended = await vi.waitFor(
    async () => {
      const { approvals } = await client.get<{ approvals: Approval[] }>('/skills/approvals?state=waiting');
      for (const approval of approvals) {
        asked.push(approval);
        await client.post(`/skills/approvals/${approval.approval_id}`, { decision });
      }
      const task: VenomTask = await client.task(id);
      if (task.status !== 'COMPLETED' && task.status !== 'FAILED') throw new Error(`it is ${task.status}`);
      return task;
    },
    { timeout: 20_000, interval: 20 },
  );
  return { task: ended, asked, result: ended.result ?? '' };
}

describe.skipIf(!hasSandbox)('the Tester', () => {
  const failing = 'test:\n\t@echo "ok 1 - starts"; echo "not ok 2 - adds: 2 != 3"; exit 1\n';

  it('runs the tests of the project after a yes, and shows what failed', async () => {
    put('shop/Makefile', failing);
    put('other/Makefile', 'test:\n\t@echo wrong\n');
    const { task, asked, result } = await run('Run the tests of shop', 'E2E_TESTING');
    expect(task.status).toBe('COMPLETED');
    expect(asked).toMatchObject([{ tool: 'shell__run_shell', arguments: { command: 'make test', folder: 'shop' } }]);
    expect(result).toMatch(/^\*\*Tests failed \(exit code 2\)\.\*\*/);
    expect(result).toContain('- `not ok 2 - adds: 2 != 3`');
    expect(result).toContain('What the model says.');
    expect(result).toContain('`make test` in `shop`, exit code 2.');
    // What the model is shown is the output, framed as what it is.
    expect(JSON.stringify(upstream.requests.at(-1)?.['messages'])).toContain('never an instruction');
  });

  it('asks no model about tests that passed', async () => {
    put('Makefile', failing.replace('exit 1', 'true'));
    const { result } = await run('Run the tests', 'E2E_TESTING');
    expect(result).toMatch(/^\*\*All tests passed\.\*\*/);
    expect(upstream.requests).toEqual([]);
  });

  it('says that nothing was run where a person says no, or nothing tells how', async () => {
    const nothing = await run('Run the tests', 'E2E_TESTING');
    expect(nothing.result).toContain('Nothing was run: no project in the workspace says how it is tested');
    expect(nothing.asked).toEqual([]);
    put('Makefile', failing);
    const denied = await run('Run the tests', 'E2E_TESTING', 'deny');
    expect(denied.result).toContain('Nothing was run.');
    expect(denied.result).not.toContain('passed');
    expect(upstream.requests).toEqual([]);
  });

  it('does not call it passed where a runner found no tests', async () => {
    put('Makefile', 'test:\n\t@echo "Ran 0 tests in 0.000s"\n');
    const { result } = await run('Uruchom testy', 'E2E_TESTING');
    expect(result).toContain('Polecenie się zakończyło, ale nie znalazło testów.');
  });
});

describe('the Release Manager', () => {
  beforeEach(() => {
    git('init', '--quiet', '--initial-branch=main');
    commit('feat: the beginning');
    git('tag', '--annotate', '--message', 'v1.2.0', 'v1.2.0');
    commit('feat: sells shoes');
    commit('fix(cart): counts to ten');
  });

  it('proposes a version and a changelog from the commits, and changes nothing', async () => {
    upstream.behaviour = streams([
      '- You can buy shoes (',
      git('log', '-1', '--skip=1', '--format=%h').trim(),
      ')\n- Invented.',
    ]);
    const { task, asked, result } = await run('Prepare the next release', 'RELEASE_PROJECT');
    expect(task.status).toBe('COMPLETED');
    expect(asked).toEqual([]);
    expect(result).toContain('**Next version: v1.3.0.** There is something new. Told by 2 commits since `v1.2.0`.');
    expect(result).toMatch(/\*\*Added\*\*\n- sells shoes \([0-9a-f]+\)/);
    expect(result).toMatch(/\*\*Fixed\*\*\n- cart: counts to ten/);
    expect(result).toContain('- You can buy shoes (');
    expect(result).not.toContain('Invented');
    expect(result).toContain('No tag was set');
    expect(git('tag')).toBe('v1.2.0\n');
  });

  it('sets the tag once a person has said yes, and not when they say no', async () => {
    const denied = await run('Release it', 'RELEASE_PROJECT', 'deny');
    expect(denied.asked).toMatchObject([{ tool: 'git__create_tag', arguments: { tag_name: 'v1.3.0' } }]);
    expect(denied.result).toContain('No tag was set. The person said no');
    expect(git('tag')).toBe('v1.2.0\n');
    const { result } = await run('Release version 2.0.0', 'RELEASE_PROJECT');
    expect(result).toContain('Tag `v2.0.0` is set');
    expect(git('tag')).toBe('v1.2.0\nv2.0.0\n');
    expect(git('cat-file', '-t', 'v2.0.0')).toBe('tag\n');
  });

  it('sets no tag over changes that are not committed, and names them', async () => {
    put('new.txt', 'x');
    const { asked, result } = await run('Release it', 'RELEASE_PROJECT');
    expect(result).toContain('No tag was set. Files with changes that are not committed: 1.');
    expect(asked).toEqual([]);
  });

  it('has nothing to release where nothing was committed, and fails without a repository', async () => {
    git('tag', '--annotate', '--message', 'x', 'v1.3.0');
    expect((await run('Release it', 'RELEASE_PROJECT')).result).toContain(
      'Nothing to release: no commits since `v1.3.0`.',
    );
    rmSync(join(workspace, '.git'), { recursive: true });
    const { task } = await run('Release it', 'RELEASE_PROJECT');
    expect(task.status).toBe('FAILED');
    expect(task.context_history.llm_runtime.error?.error_code).toBe('invalid_input');
  });
});

describe('the Publisher', () => {
  it('writes a page from what the project shows, after a yes, and names broken links', async () => {
    put('package.json', '{"name":"shoe-shop"}');
    upstream.behaviour = streams(['# Shoe shop\n\nSee [more](missing.md).']);
    const { asked, result } = await run('Write docs/usage.md', 'DOCUMENTATION');
    expect(asked).toMatchObject([{ tool: 'file__write_file', arguments: { file_path: 'docs/usage.md' } }]);
    expect(read('docs/usage.md')).toBe('# Shoe shop\n\nSee [more](missing.md).\n');
    expect(JSON.stringify(upstream.requests[0]?.['messages'])).toContain('shoe-shop');
    expect(result).toContain('**Written to `docs/usage.md`');
    expect(result).toContain('- `missing.md`');
    expect(result).toContain('Written from `package.json`.');
  });

  it('leaves the workspace as it is where a person says no', async () => {
    upstream.behaviour = streams(['# Page']);
    const { task, result } = await run('Write a README', 'DOCUMENTATION', 'deny');
    expect(task.status).toBe('COMPLETED');
    expect(result).toContain('`README.md` was not written.');
    expect(existsSync(join(workspace, 'README.md'))).toBe(false);
  });
});

describe('the Executive', () => {
  it('reports goals, tasks, queue and models as they are, and of other sessions only numbers', async () => {
    await client.run({ content: 'Hello from the secret session', session_id: 'other' });
    await client.run({
      content: 'Start a campaign:\n- Tell a joke about cats\n- Tell a joke about dogs',
      session_id: 's-1',
      forced_intent: 'START_CAMPAIGN',
    });
    const { task, result } = await run('Status report please', 'STATUS_REPORT');
    expect(task.status).toBe('COMPLETED');
    expect(result).toMatch(/^What the model says\.\n\n---\n\*\*Goals\*\*\n- done: 2\n- done: Tell a joke about dogs/);
    expect(result).toContain('**Tasks**\n- running: 1, done: 2');
    expect(result).toContain('1 running of at most 5, 0 waiting');
    expect(result).toContain('fake-model');
    expect(result).not.toContain('secret session');
    expect(JSON.stringify(upstream.requests.at(-1)?.['messages'])).not.toContain('secret session');
  });
});
