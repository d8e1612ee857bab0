import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { machineWith } from '../../../test/stand-ins/isolation.js';
import { skillContext } from '../../../test/stand-ins/skill-context.js';
import type { Isolation } from '../mcp/isolation.js';
import { Workspace } from '../workspace.js';
import { GitSkill } from './git-skill.js';

const git = execFileSync('which', ['git'], { encoding: 'utf8' }).trim();
let isolation: Isolation | undefined;
let folder: string;
let workspace: Workspace;
let call: (name: string, input?: object) => Promise<string>;
const at = (path: string) => join(workspace.root, path);

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'venom-git-')));
  workspace = new Workspace(join(folder, 'ws'));
  const options = { git, path: '/usr/local/bin:/usr/bin:/bin', ...(isolation ? { isolation } : {}) };
  const skill = new GitSkill(options);
  call = async (name, input = {}) => (await skill.invoke(name, input, skillContext(workspace))).text;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe.each(['plain', 'namespaced', 'sandboxed'] as const)('GitSkill, %s', (tier) => {
  beforeAll(async () => {
    isolation = await machineWith(tier);
  });

  it('makes a repository, commits and branches', async () => {
    await call('init_repo');
    writeFileSync(at('a.txt'), 'first\n');
    expect(await call('add_files')).toContain('A  a.txt');
    await call('commit', { message: 'Add a\n\nWith "quotes" and $(no shell)' });
    expect(await call('get_last_commit_log')).toMatch(/Venom: Add a$/);
    writeFileSync(at('a.txt'), 'second\n');
    expect(await call('get_diff')).toContain('+second');
    expect(await call('get_short_status')).toContain(' M a.txt');
    await call('create_branch', { branch_name: 'feature/one' });
    await call('checkout', { branch_name: 'feature/one' });
    expect(await call('get_current_branch')).toBe('feature/one');
    await call('checkout', { branch_name: 'two', create_new: true });
    expect(await call('get_current_branch')).toBe('two');
  });

  it.each(['-f', '--orphan', 'a..b', 'x@{1}', 'HEAD~1', 'a b', '/x', 'x.lock', 'x;rm'])(
    'does not take %s for a branch',
    async (branch_name) => {
      await call('init_repo');
      await expect(call('checkout', { branch_name, create_new: true })).rejects.toMatchObject({
        code: 'invalid_input',
      });
    },
  );

  it('takes a file that looks like an option for a file', async () => {
    await call('init_repo');
    writeFileSync(at('--help'), 'x');
    writeFileSync(at('*.txt'), 'star');
    writeFileSync(at('b.txt'), 'b');
    const status = await call('add_files', { files: ['--help', '*.txt'] });
    expect(status).toContain('A  --help');
    expect(status).toContain('A  *.txt');
    expect(status, 'a pattern is a name here').toContain('?? b.txt');
  });

  it('runs neither hooks nor what a repository’s configuration names', async () => {
    await call('init_repo');
    const trace = join(folder, 'ran');
    const program = join(folder, 'evil.sh');
    writeFileSync(program, `#!/bin/sh\ntouch ${trace}\ncat 2>/dev/null\n`);
    chmodSync(program, 0o755);
    mkdirSync(at('.git/hooks'), { recursive: true });
    writeFileSync(at('.git/hooks/pre-commit'), `#!/bin/sh\ntouch ${trace}\n`);
    chmodSync(at('.git/hooks/pre-commit'), 0o755);
    for (const name of ['core.fsmonitor', 'diff.external', 'core.pager', 'diff.evil.textconv'])
      execFileSync(git, ['config', name, program], { cwd: workspace.root });
    writeFileSync(at('.gitattributes'), '*.txt diff=evil\n');
    writeFileSync(at('a.txt'), 'one\n');
    await call('add_files');
    await call('commit', { message: 'One' });
    writeFileSync(at('a.txt'), 'two\n');
    await call('get_diff');
    await call('get_status');
    expect(existsSync(trace)).toBe(false);
  });

  it('keeps a program in the sandbox that a configuration names where it cannot be switched off', async (context) => {
    context.skip(isolation?.best === 'plain', 'nothing is around it');
    await call('init_repo');
    const trace = join(folder, 'ran');
    execFileSync(git, ['config', 'filter.evil.clean', `touch ${trace} ${at('inside')}; cat`], { cwd: workspace.root });
    writeFileSync(at('.gitattributes'), '*.txt filter=evil\n');
    writeFileSync(at('a.txt'), 'one\n');
    await call('add_files');
    expect(existsSync(at('inside')), 'it was named').toBe(true);
    expect(existsSync(trace)).toBe(false);
  });

  it('does not see the repository the workspace lies in, nor folders outside', async () => {
    execFileSync(git, ['init', '-q'], { cwd: folder });
    await expect(call('get_status')).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(call('get_status', { repository: '..' })).rejects.toMatchObject({ code: 'forbidden' });
  });
});
