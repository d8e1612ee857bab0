import {
  linkSync,
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
import { Workspace } from './workspace.js';

let folder: string;
let workspace: Workspace;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'venom-workspace-')));
  workspace = new Workspace(join(folder, 'ws'));
  mkdirSync(join(folder, 'ws-beside'));
  writeFileSync(join(folder, 'ws-beside', 'secret.txt'), 'secret');
  writeFileSync(join(workspace.root, 'inside.txt'), 'inside');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('Workspace', () => {
  it.each(['../ws-beside/secret.txt', 'a/../../ws-beside/secret.txt', '/etc/passwd', './../ws-beside', '..'])(
    'does not reach %s',
    async (path) => {
      await expect(workspace.read(path, 100)).rejects.toMatchObject({ code: 'forbidden' });
      await expect(workspace.write(path, 'x')).rejects.toMatchObject({ code: 'forbidden' });
    },
  );

  it('does not take a folder whose name begins alike for its own', async () => {
    await expect(workspace.existing(join(folder, 'ws-beside'))).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('follows no link out, neither as the file nor as a folder on the way', async () => {
    symlinkSync(join(folder, 'ws-beside'), join(workspace.root, 'door'));
    symlinkSync(join(folder, 'ws-beside', 'secret.txt'), join(workspace.root, 'peep.txt'));
    symlinkSync(join(folder, 'not-there'), join(workspace.root, 'dangling'));
    await expect(workspace.read('door/secret.txt', 100)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(workspace.read('peep.txt', 100)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(workspace.write('door/new.txt', 'x')).rejects.toMatchObject({ code: 'forbidden' });
    await expect(workspace.write('dangling/new.txt', 'x')).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('replaces a link instead of writing through it', async () => {
    symlinkSync(join(folder, 'ws-beside', 'secret.txt'), join(workspace.root, 'peep.txt'));
    await workspace.write('peep.txt', 'mine');
    expect(readFileSync(join(folder, 'ws-beside', 'secret.txt'), 'utf8')).toBe('secret');
    expect((await workspace.read('peep.txt', 100)).toString()).toBe('mine');
  });

  it('leaves a hard link’s other name as it is', async () => {
    linkSync(join(folder, 'ws-beside', 'secret.txt'), join(workspace.root, 'twin.txt'));
    await workspace.write('twin.txt', 'mine');
    expect(readFileSync(join(folder, 'ws-beside', 'secret.txt'), 'utf8')).toBe('secret');
  });

  it.each(['.git/hooks/pre-commit', 'sub/.GIT/config', '.git', 'git~1/config', '.git ./x'])(
    'does not write %s, which git would run',
    async (path) => {
      await expect(workspace.write(path, 'x')).rejects.toMatchObject({ code: 'forbidden' });
    },
  );

  it('refuses what is empty, too long, holds a null, is too large or no file', async () => {
    for (const path of ['', ' ', 'a\0b', 'x'.repeat(5_000)])
      await expect(workspace.read(path, 100)).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(workspace.read('inside.txt', 3)).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(workspace.read('.', 100)).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(workspace.read('nope.txt', 100)).rejects.toMatchObject({ code: 'not_found' });
    await expect(workspace.write('inside.txt/x', 'x')).rejects.toThrow();
  });

  it('writes new folders on the way', async () => {
    await workspace.write('a/b/c.txt', 'deep');
    expect((await workspace.read('a/b/c.txt', 100)).toString()).toBe('deep');
  });
});
