// What the built UI is made of, so that it is built again after any of it has changed and after nothing else.
import { expect, it } from 'vitest';

// As the build runs it: plain JavaScript without types.
const STAMPS = '../scripts/stamps.mjs';
const { importedOutside } = (await import(STAMPS)) as { importedOutside: (folder: string) => string[] };

it('the UI is made of the contract, and of what the contract is made of', () => {
  const files = importedOutside('web/src');
  expect(files).toContain('src/contract/task-log.ts');
  expect(files, 'imported by the contract').toContain('src/chat/tasks/log-lines.ts');
  expect(files.filter((file) => !file.startsWith('src/'))).toEqual([]);
});
