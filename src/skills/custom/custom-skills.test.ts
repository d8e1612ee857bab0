import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ToolCall } from '../ports.js';
import { CustomSkills } from './custom-skills.js';
import { newSkill } from './new-skill.js';

let root: string;
let skills: CustomSkills;
const at = (path: string) => join(root, 'custom', path);

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'venom-custom-')));
  skills = new CustomSkills({
    folder: join(root, 'custom'),
    runFolder: join(root, 'run'),
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

describe('CustomSkills', () => {
  it('runs a skill as it is scaffolded, and so does its test', async () => {
    await newSkill(at('greeter'), 'greeter');
    await skills.scan();
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

  it('is a new skill with a new hash once a byte of it changes', async () => {
    write('one', 'return "1"');
    await skills.scan();
    const before = skills.tools()[0]?.hash;
    appendFileSync(at('one/skill.mjs'), '\n// and more');
    // What was approved is not what lies there now.
    await expect(skills.call(call('custom_one__run'))).rejects.toMatchObject({ code: 'tool_denied' });
    expect(skills.tools()[0]?.hash).not.toBe(before);
  });

  it('keeps a skill from files, programs and our environment', async () => {
    writeFileSync(join(root, 'secret.txt'), 'secret');
    write('spy', 'return (await import("node:fs")).readFileSync(input.path, "utf8")');
    write('writer', 'return String((await import("node:fs")).writeFileSync(input.path, "x"))');
    write('runner', 'return (await import("node:child_process")).execSync("id").toString()');
    write('nosy', 'return JSON.stringify(process.env)');
    await skills.scan();
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
    await skills.scan();
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
    await skills.scan();
    expect(skills.tools()).toMatchObject([
      { name: 'custom_pdf__read_instructions', title: 'PDF forms', description: 'How to: Fills PDF forms.' },
    ]);
    expect(await skills.call(call('custom_pdf__read_instructions'))).toMatchObject({
      text: 'Open the file first.',
      untrusted: false,
    });
  });
});
