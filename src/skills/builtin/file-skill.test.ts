import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { skillContext } from '../../../test/stand-ins/skill-context.js';
import { Workspace } from '../workspace.js';
import { type FileReport, FileSkill } from './file-skill.js';

const skill = new FileSkill();
let workspace: Workspace;
let call: (name: string, input: object) => Promise<FileReport>;
const at = (path: string) => join(workspace.root, path);

beforeEach(() => {
  workspace = new Workspace(mkdtempSync(join(tmpdir(), 'venom-files-')));
  call = async (name, input) => (await skill.invoke(name, input, skillContext(workspace))).structured as FileReport;
  writeFileSync(at('a.txt'), 'A');
  mkdirSync(at('folder'));
  writeFileSync(at('folder/b.txt'), 'B');
});
afterEach(() => rmSync(workspace.root, { recursive: true, force: true }));

describe('FileSkill', () => {
  it('reports a move with the way back, and carries it out', async () => {
    expect(await call('move_path', { source_path: 'a.txt', target_path: 'new/a.txt' })).toEqual({
      operation: 'move',
      status: 'success',
      dry_run: false,
      changed: true,
      message: 'a.txt is now new/a.txt.',
      source_path: 'a.txt',
      target_path: 'new/a.txt',
      rollback: { operation: 'move', source_path: 'new/a.txt', target_path: 'a.txt' },
    });
    expect(existsSync(at('a.txt'))).toBe(false);
    expect(readFileSync(at('new/a.txt'), 'utf8')).toBe('A');
  });

  it('changes nothing in a dry run', async () => {
    for (const [name, input] of [
      ['move_path', { source_path: 'a.txt', target_path: 'c.txt' }],
      ['copy_path', { source_path: 'a.txt', target_path: 'c.txt' }],
      ['delete_path', { file_path: 'a.txt' }],
    ] as const)
      expect(await call(name, { ...input, dry_run: true })).toMatchObject({ status: 'dry_run', changed: false });
    expect(existsSync(at('a.txt'))).toBe(true);
    expect(existsSync(at('c.txt'))).toBe(false);
  });

  it('overwrites only where it was asked to', async () => {
    const input = { source_path: 'a.txt', target_path: 'folder/b.txt' };
    await expect(call('copy_path', input)).rejects.toMatchObject({ code: 'conflict' });
    expect(await call('copy_path', { ...input, overwrite_policy: 'skip' })).toMatchObject({ status: 'skipped' });
    expect(readFileSync(at('folder/b.txt'), 'utf8')).toBe('B');
    await call('copy_path', { ...input, overwrite_policy: 'overwrite' });
    expect(readFileSync(at('folder/b.txt'), 'utf8')).toBe('A');
  });

  it('refuses the workspace itself, a folder without recursive, and a folder into itself', async () => {
    await expect(call('delete_path', { file_path: '.', recursive: true })).rejects.toMatchObject({ code: 'forbidden' });
    await expect(call('delete_path', { file_path: 'folder' })).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(call('move_path', { source_path: 'folder', target_path: 'folder/inner' })).rejects.toMatchObject({
      code: 'invalid_input',
    });
    expect(existsSync(at('folder/b.txt'))).toBe(true);
  });

  it('deletes a link and not what it leads to, and does not copy what it leads to', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'venom-outside-'));
    writeFileSync(join(outside, 'kept.txt'), 'kept');
    symlinkSync(outside, at('folder/door'));
    await call('copy_path', { source_path: 'folder', target_path: 'copy', recursive: true });
    expect(existsSync(at('copy/b.txt'))).toBe(true);
    expect(existsSync(at('copy/door'))).toBe(false);
    await call('delete_path', { file_path: 'folder/door' });
    expect(existsSync(at('folder/door'))).toBe(false);
    expect(existsSync(join(outside, 'kept.txt'))).toBe(true);
    rmSync(outside, { recursive: true });
  });

  it('does not turn a folder into a git folder by moving or copying it', async () => {
    mkdirSync(at('fake'));
    writeFileSync(at('fake/config'), '[core]\n\tfsmonitor = evil');
    for (const name of ['move_path', 'copy_path', 'rename_path'])
      await expect(call(name, { source_path: 'fake', target_path: '.git', recursive: true })).rejects.toMatchObject({
        code: 'forbidden',
      });
  });

  it('stops a batch at the first failure, or goes on where it was told to', async () => {
    const operations_json = JSON.stringify([
      { operation: 'delete', file_path: 'not-there' },
      { operation: 'copy', source_path: 'a.txt', target_path: 'c.txt' },
    ]);
    const statuses = async (input: object) =>
      ((await call('batch_file_operations', input)) as unknown as { reports: FileReport[] }).reports.map(
        ({ status }) => status,
      );
    expect(await statuses({ operations_json })).toEqual(['failed']);
    expect(existsSync(at('c.txt'))).toBe(false);
    expect(await statuses({ operations_json, continue_on_error: true })).toEqual(['failed', 'success']);
    await expect(call('batch_file_operations', { operations_json: '{}' })).rejects.toMatchObject({
      code: 'invalid_input',
    });
  });

  it('lists and reads text, and says that a binary file is none', async () => {
    const listed = await skill.invoke('list_files', { recursive: true }, skillContext(workspace));
    expect(listed.text.split('\n')).toEqual(['a.txt (1 bytes)', 'folder/', 'folder/b.txt (1 bytes)']);
    writeFileSync(at('binary'), Buffer.from([0, 1, 2]));
    await expect(call('read_file', { file_path: 'binary' })).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(call('read_file', { file_path: 7 })).rejects.toMatchObject({ code: 'invalid_input' });
    expect((await skill.invoke('read_file', { file_path: 'a.txt' }, skillContext(workspace))).untrusted).toBe(true);
  });
});
