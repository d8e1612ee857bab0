import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Workspaces } from './workspaces.js';

const anna = 'user-0123456789abcdef';
const ben = 'user-fedcba9876543210';
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-workspaces-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('Workspaces', () => {
  const build = () => new Workspaces({ house: join(folder, 'workspace'), users: join(folder, 'workspaces') });

  it('keeps what each writes from the others, by every way of saying where it lies', async () => {
    const workspaces = build();
    const written = await workspaces.of(anna).write('notes.txt', "Anna's");
    await workspaces.of(null).write('notes.txt', "the house's");
    expect((await workspaces.of(anna).read('notes.txt', 100)).toString()).toBe("Anna's");
    expect((await workspaces.of(null).read('notes.txt', 100)).toString()).toBe("the house's");
    await expect(workspaces.of(ben).read('notes.txt', 100)).rejects.toMatchObject({ code: 'not_found' });
    for (const path of [written, `../${anna}/notes.txt`, `../../workspace/notes.txt`])
      await expect(workspaces.of(ben).read(path, 100), path).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('makes a folder when it is needed, and none for a name that no key has', () => {
    const workspaces = build();
    expect(existsSync(join(folder, 'workspaces'))).toBe(false);
    expect(workspaces.of(anna)).toBe(workspaces.of(anna));
    expect(existsSync(join(folder, 'workspaces', anna))).toBe(true);
    for (const owner of ['..', 'user-../../x', '', `${anna}/../${ben}`])
      expect(() => workspaces.of(owner), owner).toThrow(expect.objectContaining({ code: 'forbidden' }));
  });
});
