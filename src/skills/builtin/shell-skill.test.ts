import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { machineWith } from '../../../test/stand-ins/isolation.js';
import { skillContext } from '../../../test/stand-ins/skill-context.js';
import type { Isolation } from '../mcp/isolation.js';
import { ProcessRecords } from '../mcp/process-records.js';
import { ServerWatch } from '../mcp/server-watch.js';
import { Workspace } from '../workspace.js';
import { ShellSkill } from './shell-skill.js';

const root = mkdtempSync(join(tmpdir(), 'venom-shell-'));
const workspace = new Workspace(join(root, 'workspace'));
const records = new ProcessRecords(join(root, 'run'));
const options = (isolation: Isolation) => ({
  isolation,
  newMark: () => records.newMark(),
  watch: new ServerWatch({ processes: 32, memoryBytes: 300_000_000, diskBytes: 50_000_000 }),
});
let shell: ShellSkill;

const run = (name: string, input: object, signal = new AbortController().signal) =>
  shell.invoke(name, input, skillContext(workspace, { signal }));

beforeAll(async () => {
  shell = new ShellSkill(options(await machineWith('sandboxed')));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

it('asks before it runs anything, and leaves nothing of what it does to a shell', () => {
  expect(shell.descriptors().map(({ name, permission, readOnly }) => [name, permission, readOnly])).toEqual([
    ['shell__run', 'ask', false],
    ['shell__run_shell', 'ask', false],
  ]);
});

it('refuses where nothing isolates', async () => {
  const poor = await machineWith('plain');
  const refused = new ShellSkill(options(poor)).invoke('run', { program: 'true' }, skillContext(workspace));
  await expect(refused).rejects.toMatchObject({ code: 'unsupported', message: expect.stringContaining('bubblewrap') });
});

describe.each(['sandboxed', 'namespaced'] as const)('%s', (tier) => {
  let missing = false;
  beforeAll(async () => {
    const isolation = await machineWith(tier);
    missing = isolation.best !== tier;
    shell = new ShellSkill(options(isolation));
    rmSync(workspace.root, { recursive: true, force: true });
    mkdirSync(workspace.root);
  });

  it('runs a program with its arguments as they are, in the workspace', async (context) => {
    context.skip(missing, 'not installed or not allowed here');
    const said = await run('run', { program: 'printf', args: ['%s\n', '$(id); `id`', 'b c'] });
    expect(said).toMatchObject({ text: '$(id); `id`\nb c', untrusted: true, structured: { exit_code: 0 } });
    await run('run_shell', { command: 'echo one > a.txt && echo two | tr a-z A-Z >> a.txt' });
    expect(readFileSync(join(workspace.root, 'a.txt'), 'utf8')).toBe('one\nTWO\n');
    mkdirSync(join(workspace.root, 'sub'));
    writeFileSync(join(workspace.root, 'sub/own.sh'), '#!/bin/sh\npwd\nexit 3\n', { mode: 0o755 });
    const failed = await run('run', { program: './own.sh', folder: 'sub' });
    expect(failed.text).toBe(`Exit code 3.\n${join(workspace.root, 'sub')}`);
    expect((await run('run', { program: 'no-such-program' })).text).toContain('No such file');
  });

  it('reaches neither files outside, nor our environment, nor the network, nor a folder outside', async (context) => {
    context.skip(missing, 'not installed or not allowed here');
    writeFileSync(join(root, 'ours.txt'), 'ours');
    symlinkSync(join(root, 'ours.txt'), join(workspace.root, 'link.txt'));
    for (const path of [join(root, 'ours.txt'), 'link.txt', '../ours.txt', '/etc/passwd', join(root, 'run/instance')])
      expect(await run('run', { program: 'cat', args: [path] }), path).toMatchObject({ structured: { exit_code: 1 } });
    expect((await run('run', { program: 'env' })).text).not.toContain(process.env['USER'] ?? 'VITEST');
    expect((await run('run_shell', { command: 'touch /usr/x /x' })).structured).toMatchObject({ exit_code: 1 });
    const neighbour = createServer((_request, response) => response.end('inside')).listen(0, '127.0.0.1');
    await once(neighbour, 'listening');
    const { port } = neighbour.address() as AddressInfo;
    const reached = await run('run_shell', {
      command: `exec 3<>/dev/tcp/127.0.0.1/${port} || python3 -c "import socket; socket.create_connection(('127.0.0.1', ${port}))"`,
    });
    expect(reached.structured).not.toMatchObject({ exit_code: 0 });
    neighbour.close();
    await expect(run('run', { program: 'ls', folder: '..' })).rejects.toMatchObject({ code: 'forbidden' });
  });

  it.each(['/etc/passwd', '-x', 'a b', 'x;y', '$(id)', ''])('takes %j for no program', async (program) => {
    await expect(run('run', { program })).rejects.toMatchObject({ code: 'invalid_input' });
  });

  it('ends what takes too long, too many processes or too much memory, and what is stopped, with all it started', async (context) => {
    context.skip(missing, 'not installed or not allowed here');
    await expect(run('run', { program: 'sleep', args: ['30'], timeout: 1 })).rejects.toMatchObject({
      code: 'tool_timeout',
    });
    const many = run('run_shell', { command: 'for i in $(seq 60); do sleep 30 & done; wait' });
    await expect(many).rejects.toMatchObject({ code: 'tool_failed', message: expect.stringContaining('processes') });
    const hungry = run('run_shell', { command: 'head -c 400000000 /dev/zero | tail -c 399999999 | sleep 30' });
    await expect(hungry).rejects.toMatchObject({ code: 'tool_failed', message: expect.stringContaining('memory') });
    const stop = new AbortController();
    const stopped = run('run', { program: 'sleep', args: ['31'] }, stop.signal);
    setTimeout(() => stop.abort(new Error('stopped')), 200);
    await expect(stopped).rejects.toThrow('stopped');
    await expect.poll(() => records.endLeftovers()).toBe(0);
  }, 30_000);

  it('keeps the end of a long output', async (context) => {
    context.skip(missing, 'not installed or not allowed here');
    const { text } = await run('run', { program: 'seq', args: ['100000'] });
    expect(text).toMatch(/^Only the last 16000 characters/);
    expect(text.endsWith('\n100000')).toBe(true);
  });
});
