import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SkillVersionFiles } from '../../storage/skill-version-files.js';
import type { ToolCall } from '../ports.js';
import { CustomSkills } from './custom-skills.js';
import { newSkill } from './new-skill.js';

let root: string;
let skills: CustomSkills;
let versions: SkillVersionFiles;
const at = (path: string) => join(root, 'custom', path);

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'venom-custom-')));
  versions = new SkillVersionFiles(join(root, 'versions'), Date.now);
  skills = new CustomSkills({
    folder: join(root, 'custom'),
    runFolder: join(root, 'run'),
    versions,
    logger: { debug: () => {}, warn: () => {} },
  });
});
afterEach(() => {
  skills.close();
  rmSync(root, { recursive: true, force: true });
});

const call = (name: string, input: unknown = {}, signal = new AbortController().signal): ToolCall => ({
  name,
  input,
  owner: null,
  sessionId: null,
  requestId: null,
  labels: [],
  signal,
});

/** A skill whose one function `run` has this body. */
function write(name: string, body: string) {
  mkdirSync(at(name), { recursive: true });
  writeFileSync(
    at(`${name}/skill.json`),
    JSON.stringify({ description: name, functions: { run: { description: 'Runs.', input: { type: 'object' } } } }),
  );
  writeFileSync(at(`${name}/skill.mjs`), `export const functions = { async run(input) { ${body} } };`);
}

/** Looks, and says yes to everything that lies there. */
async function approveAll() {
  await skills.scan();
  for (const { name, draft } of skills.list()) if (draft) versions.approve(name, draft.hash, draft.files);
  await skills.scan();
}

describe('CustomSkills', () => {
  it('neither offers nor runs what nobody approved', async () => {
    write('one', 'return "1"');
    await skills.scan();
    expect(skills.list()).toMatchObject([{ name: 'one', problem: null, record: undefined }]);
    expect(skills.tools()).toEqual([]);
    await expect(skills.call(call('custom_one__run'))).rejects.toMatchObject({ code: 'tool_not_found' });
  });

  it('runs a skill as it is scaffolded, and so does its test', async () => {
    await newSkill(at('greeter'), 'greeter');
    await approveAll();
    expect(skills.tools()).toMatchObject([{ name: 'custom_greeter__hello', permission: 'ask', egress: true }]);
    expect(await skills.call(call('custom_greeter__hello', { name: 'Ada' }))).toMatchObject({
      failed: false,
      text: 'Hello, Ada!',
      structured: { greeted: 'Ada' },
      untrusted: true,
    });
    expect(await skills.call(call('custom_greeter__hello', { name: '' }))).toMatchObject({
      failed: true,
      errorCode: 'tool_failed',
      text: 'name must not be empty.',
    });
    const test = execFileSync(process.execPath, ['--test', at('greeter/skill.test.mjs')], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] },
    });
    expect(test).toMatch(/pass 2/);
  });

  it('goes on with what was approved when a byte of it changes, until somebody says yes to that', async () => {
    write('one', 'return "1"');
    await approveAll();
    const before = skills.tools()[0]?.hash;
    write('one', 'return "2"');
    await skills.scan();
    expect(skills.tools()[0]?.hash).toBe(before);
    expect((await skills.call(call('custom_one__run'))).text).toBe('1');
    await approveAll();
    expect(skills.tools()[0]?.hash).not.toBe(before);
    expect((await skills.call(call('custom_one__run'))).text).toBe('2');
  });

  it('runs the approved bytes also where the folder is no skill any more, and nothing once it is gone', async () => {
    write('one', 'return "1"');
    await approveAll();
    rmSync(at('one/skill.mjs'));
    await skills.scan();
    expect(skills.problems).toHaveLength(1);
    expect((await skills.call(call('custom_one__run'))).text).toBe('1');
    rmSync(at('one'), { recursive: true });
    await expect(skills.call(call('custom_one__run'))).rejects.toMatchObject({ code: 'tool_not_found' });
  });

  it('does not run an approved version that was changed where it is kept', async () => {
    write('one', 'return "1"');
    await approveAll();
    const { approved = '' } = versions.get('one') ?? {};
    const path = join(root, 'versions', 'one', `${approved}.json`);
    const files = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;
    writeFileSync(path, JSON.stringify({ ...files, 'skill.mjs': Buffer.from('evil').toString('base64') }));
    appendFileSync(at('one/skill.mjs'), '\n');
    const anew = new CustomSkills({
      folder: join(root, 'custom'),
      runFolder: join(root, 'run'),
      versions: new SkillVersionFiles(join(root, 'versions'), Date.now),
      logger: { debug: () => {}, warn: () => {} },
    });
    await anew.scan();
    expect(anew.tools()).toEqual([]);
    expect(anew.problems).toEqual([expect.stringContaining('not what it was')]);
  });

  it('keeps a skill from files, programs and our environment', async () => {
    writeFileSync(join(root, 'secret.txt'), 'secret');
    write('spy', 'return (await import("node:fs")).readFileSync(input.path, "utf8")');
    write('writer', 'return String((await import("node:fs")).writeFileSync(input.path, "x"))');
    write('runner', 'return (await import("node:child_process")).execSync("id").toString()');
    write('nosy', 'return JSON.stringify(process.env)');
    await approveAll();
    const said = async (name: string, input: object) => (await skills.call(call(name, input))).text;
    for (const [name, input] of [
      ['spy', { path: join(root, 'secret.txt') }],
      ['writer', { path: join(root, 'made.txt') }],
      ['runner', {}],
    ] as const)
      expect(await said(`custom_${name}__run`, input), name).toMatch(/access|permission/i);
    expect(JSON.parse(await said('custom_nosy__run', {}))).not.toHaveProperty('PATH');
  });

  it('survives one that prints, one that exits, and one that never ends', async () => {
    write('loud', 'console.log("{}\\n[]"); process.stdout.write("junk\\n"); return "heard"');
    write('gone', 'process.exit(3)');
    write('stuck', 'for (;;);');
    await approveAll();
    expect((await skills.call(call('custom_loud__run'))).text).toBe('heard');
    expect(await skills.call(call('custom_gone__run'))).toMatchObject({ failed: true, errorCode: 'tool_failed' });
    await expect(skills.call(call('custom_stuck__run', {}, AbortSignal.timeout(500)))).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    expect((await skills.call(call('custom_loud__run'))).text).toBe('heard');
  });

  it('leaves out what is no skill and says why', async () => {
    mkdirSync(at('empty'), { recursive: true });
    write('linked', 'return ""');
    symlinkSync('/etc/passwd', at('linked/passwd'));
    write('Bad Name', 'return ""');
    await skills.scan();
    expect(skills.tools()).toEqual([]);
    expect(skills.problems).toHaveLength(3);
  });

  it('offers the name of an agent skill and gives its text when it is chosen', async () => {
    mkdirSync(at('pdf'), { recursive: true });
    writeFileSync(
      at('pdf/SKILL.md'),
      '---\nname: PDF forms\ndescription: Fills PDF forms.\n---\nOpen the file first.\n',
    );
    await approveAll();
    expect(skills.tools()).toMatchObject([
      { name: 'custom_pdf__read_instructions', title: 'PDF forms', description: 'How to: Fills PDF forms.' },
    ]);
    expect(await skills.call(call('custom_pdf__read_instructions'))).toMatchObject({
      text: 'Open the file first.',
      untrusted: false,
    });
  });
});
