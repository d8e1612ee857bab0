// A skill of one's own over HTTP: begun, written, approved, changed, gone back, switched off, removed.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from './server.js';

interface Skill {
  name: string;
  state: string;
  hash: string;
  approved_hash: string | null;
  functions: string[];
  versions: { hash: string }[];
}

let server: TestServer;
let workspace: string;

beforeEach(async () => {
  workspace = mkdtempSync(join(tmpdir(), 'venom-workspace-'));
  server = await startServer({ WORKSPACE_ROOT: workspace });
});
afterEach(async () => {
  await server.close();
  rmSync(workspace, { recursive: true, force: true });
});

async function ask(method: string, path: string, body?: unknown) {
  const response = await fetch(`${server.url}/api/v1/skills${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as { skill: Skill; code?: string; text?: string } & Record<string, never>;
  return { status: response.status, body: answer };
}
const greet = (name = 'Ada') => ask('POST', '/custom_greeter__hello/call', { input: { name }, approved: true });
const textOf = (path: string) => readFileSync(join(workspace, 'custom/greeter', path), 'utf8');

async function write(path: string, text: string) {
  return ask('PUT', '/custom/greeter/files', { path, text, before: textOf(path) });
}

describe('a skill of one’s own', () => {
  it('is scaffolded, and does nothing before it is approved as it was shown', async () => {
    const begun = await ask('POST', '/custom', { name: 'greeter' });
    expect(begun).toMatchObject({
      status: 201,
      body: { skill: { state: 'new', enabled: false, functions: ['hello'], versions: [], problem: null } },
    });
    expect((await ask('POST', '/custom', { name: 'greeter' })).body.code).toBe('conflict');
    expect((await greet()).status).toBe(404);
    expect((await ask('POST', '/custom/greeter/approve', { hash: 'a'.repeat(64) })).body.code).toBe('approval_stale');
    const approved = await ask('POST', '/custom/greeter/approve', { hash: begun.body.skill.hash });
    expect(approved.body.skill).toMatchObject({ state: 'approved', enabled: true });
    expect((await greet()).body.text).toBe('Hello, Ada!');
  });

  it('keeps what was approved in use while it is edited, and goes back with its files', async () => {
    const { hash: first } = (await ask('POST', '/custom', { name: 'greeter' })).body.skill;
    await ask('POST', '/custom/greeter/approve', { hash: first });
    const before = textOf('skill.mjs');
    const edited = await write('skill.mjs', before.replaceAll('Hello', 'Good day'));
    expect(edited.body.skill).toMatchObject({ state: 'changed', approved_hash: first });
    expect((await greet()).body.text).toBe('Hello, Ada!');
    const { body: detail } = await ask('GET', '/custom/greeter');
    const code = (files: unknown) =>
      (files as { path: string; text: string }[]).find((file) => file.path === 'skill.mjs');
    expect(code(detail['files'])?.text).toContain('Good day');
    expect(code(detail['approved_files'])?.text).toBe(before);

    await ask('POST', '/custom/greeter/approve', { hash: edited.body.skill.hash });
    expect((await greet()).body.text).toBe('Good day, Ada!');
    const back = await ask('POST', '/custom/greeter/rollback', { hash: first });
    expect(back.body.skill).toMatchObject({ state: 'approved', hash: first });
    expect(back.body.skill.versions.map(({ hash }) => hash)).toEqual([first, edited.body.skill.hash]);
    expect(textOf('skill.mjs')).toBe(before);
    expect((await greet()).body.text).toBe('Hello, Ada!');
    expect((await ask('POST', '/custom/greeter/rollback', { hash: 'b'.repeat(64) })).status).toBe(404);
  });

  it('does not write over what changed meanwhile, nor outside its folder', async () => {
    await ask('POST', '/custom', { name: 'greeter' });
    const before = textOf('skill.mjs');
    writeFileSync(join(workspace, 'custom/greeter/skill.mjs'), '// by an editor outside');
    const body = { path: 'skill.mjs', text: 'x', before };
    expect((await ask('PUT', '/custom/greeter/files', body)).body.code).toBe('conflict');
    expect(textOf('skill.mjs')).toBe('// by an editor outside');
    for (const path of ['../other/skill.mjs', '/etc/passwd', '.hidden', 'a/../b', 'a/.git/config', 'a\\b', 'x/'])
      expect((await ask('PUT', '/custom/greeter/files', { path, text: 'x', before: null })).body.code, path).toBe(
        'invalid_input',
      );
    expect((await ask('PUT', '/custom/greeter/files', { path: 'lib/words.mjs', text: 'x', before: null })).status).toBe(
      200,
    );
    expect(textOf('lib/words.mjs')).toBe('x');
    expect((await ask('POST', '/custom/greeter/files/delete', { path: 'lib/words.mjs', before: 'x' })).status).toBe(
      200,
    );
    expect(existsSync(join(workspace, 'custom/greeter/lib/words.mjs'))).toBe(false);
  });

  it('that is broken says why, and cannot be approved', async () => {
    await ask('POST', '/custom', { name: 'greeter' });
    const broken = await write('skill.json', '{');
    expect(broken.body.skill).toMatchObject({
      state: 'broken',
      hash: null,
      problem: expect.stringContaining('greeter'),
    });
    expect((await ask('POST', '/custom/greeter/approve', { hash: 'a'.repeat(64) })).body.code).toBe('invalid_input');
    mkdirSync(join(workspace, 'custom/linked'));
    symlinkSync('/etc/passwd', join(workspace, 'custom/linked/skill.json'));
    const { body } = await ask('GET', '/custom');
    expect(body['skills']).toMatchObject([
      { name: 'greeter', state: 'broken' },
      { name: 'linked', state: 'broken' },
    ]);
  });

  it('is opened with links in it, which are named and removed and never followed', async () => {
    const outside = join(workspace, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'precious.txt'), 'keep me');
    await ask('POST', '/custom', { name: 'greeter' });
    const folder = join(workspace, 'custom/greeter');
    symlinkSync(join(outside, 'precious.txt'), join(folder, 'notes.txt'));
    symlinkSync(outside, join(folder, 'elsewhere'));

    const { status, body } = await ask('GET', '/custom/greeter');
    expect(status).toBe(200);
    expect(body.skill).toMatchObject({ state: 'broken', hash: null });
    const files = body['files'] as unknown as { path: string; text: string | null; link_to: string | null }[];
    expect(files.map(({ path, link_to: to }) => [path, to])).toEqual([
      ['elsewhere', outside],
      ['notes.txt', join(outside, 'precious.txt')],
      ['skill.json', null],
      ['skill.mjs', null],
      ['skill.test.mjs', null],
    ]);
    expect(JSON.stringify(files)).not.toContain('keep me');

    // Neither written through nor deleted through.
    const through = { path: 'elsewhere/precious.txt', text: 'gone', before: null };
    expect((await ask('PUT', '/custom/greeter/files', through)).body.code).toBe('invalid_input');
    const past = { path: 'elsewhere/precious.txt', before: 'keep me' };
    expect((await ask('POST', '/custom/greeter/files/delete', past)).body.code).toBe('conflict');
    const stale = { path: 'notes.txt', before: '/somewhere/else' };
    expect((await ask('POST', '/custom/greeter/files/delete', stale)).body.code).toBe('conflict');

    const link = { path: 'notes.txt', before: join(outside, 'precious.txt') };
    expect((await ask('POST', '/custom/greeter/files/delete', link)).status).toBe(200);
    expect(existsSync(join(folder, 'notes.txt'))).toBe(false);
    expect((await ask('DELETE', '/custom/greeter')).status).toBe(200);
    expect(existsSync(folder)).toBe(false);
    expect(readFileSync(join(outside, 'precious.txt'), 'utf8')).toBe('keep me');
  });

  it('is switched off and on, survives a restart, and is removed with all that was approved', async () => {
    const { hash } = (await ask('POST', '/custom', { name: 'greeter' })).body.skill;
    expect((await ask('POST', '/custom/greeter/enable')).status).toBe(404);
    await ask('POST', '/custom/greeter/approve', { hash });
    expect((await ask('POST', '/custom/greeter/disable')).body.skill).toMatchObject({ state: 'disabled' });
    expect((await greet()).status).toBe(404);
    await ask('POST', '/custom/greeter/enable');
    await server.close({ keepData: true });
    server = await startServer({ WORKSPACE_ROOT: workspace }, server.dataDir);
    expect((await greet()).body.text).toBe('Hello, Ada!');
    expect((await ask('DELETE', '/custom/greeter')).status).toBe(200);
    expect(existsSync(join(workspace, 'custom/greeter'))).toBe(false);
    expect((await ask('GET', '/custom/greeter')).status).toBe(404);
    // One that comes back is asked about anew.
    expect((await ask('POST', '/custom', { name: 'greeter' })).body.skill).toMatchObject({
      state: 'new',
      versions: [],
    });
  });
});
