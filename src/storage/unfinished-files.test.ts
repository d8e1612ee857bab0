import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { removeUnfinished } from './unfinished-files.js';

it('removes what was never whole, and nothing else', () => {
  const folder = mkdtempSync(join(tmpdir(), 'venom-unfinished-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const kept = ['venom.db', 'venom.db-wal', 'partial', 'my.partial.txt', 'model.gguf.part', 'backup.partial'];
  for (const name of kept.slice(0, -1)) writeFileSync(join(folder, name), '');
  // Of that name, but a folder with something in it.
  mkdirSync(join(folder, 'backup.partial', 'in'), { recursive: true });
  for (const name of [
    'mcp-secrets.json.partial',
    'venom-1.db.partial',
    'venom-1.db.partial-journal',
    'venom.address.part',
  ])
    writeFileSync(join(folder, name), '');
  removeUnfinished([folder, join(folder, 'missing')]);
  expect(readdirSync(folder).sort()).toEqual(kept.sort());
});
