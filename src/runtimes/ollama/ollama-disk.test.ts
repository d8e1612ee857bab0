import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diskOf } from '../../machine/usage-meter.js';
import { ollamaFolder } from './ollama-disk.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'venom-home-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

describe("Ollama's folder", () => {
  it.each([
    ['http://127.0.0.1:11434', '/elsewhere', '/elsewhere'],
    ['http://localhost:11434', '/elsewhere', '/elsewhere'],
    // The path is one of that machine, whatever our own environment says.
    ['http://10.0.0.7:11434', '/elsewhere', null],
    ['http://gpu.example:11434', undefined, null],
  ])('of %s with %s is %s', async (url, configured, expected) => {
    expect(await ollamaFolder(url, configured, home)).toBe(expected);
  });

  it("is the person's own where there is one, and has a disk before it exists", async () => {
    mkdirSync(join(home, '.ollama', 'models'), { recursive: true });
    expect(await ollamaFolder('http://127.0.0.1:11434', undefined, home)).toBe(join(home, '.ollama', 'models'));
    const [there, later] = await Promise.all([diskOf(home), diskOf(join(home, 'not', 'yet', 'made'))]);
    expect(later.id).toBe(there.id);
  });
});
