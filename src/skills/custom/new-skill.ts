// The beginning of a custom skill: what it offers, its code, and a test of it.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../shared/errors.js';
import { SKILL_NAME } from './skill-folder.js';

/** Names of the files that were written. @throws AppError `invalid_input` */
export async function newSkill(folder: string, name: string): Promise<string[]> {
  if (!SKILL_NAME.test(name))
    throw new AppError('invalid_input', 'A skill is named with small letters, digits, - and _, at most 24 of them.');
  const files = {
    'skill.json': `${JSON.stringify(
      {
        description: 'Greets people.',
        functions: {
          hello: {
            description: 'Says hello to somebody.',
            input: {
              type: 'object',
              properties: { name: { type: 'string', description: 'whom to greet' } },
              required: ['name'],
              additionalProperties: false,
            },
            readOnly: true,
          },
        },
      },
      null,
      2,
    )}\n`,
    'skill.mjs': `// Each function of skill.json, by name. It gets the input and returns a text, or { text, structured }.
// It may read this folder and nothing else. To fail, throw an Error: its message is what the model is told.
export const functions = {
  async hello({ name }) {
    if (typeof name !== 'string' || name.trim() === '') throw new Error('name must not be empty.');
    return { text: \`Hello, \${name}!\`, structured: { greeted: name } };
  },
};
`,
    'skill.test.mjs': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { functions } from './skill.mjs';

test('greets by name', async () => {
  assert.deepEqual(await functions.hello({ name: 'Ada' }), { text: 'Hello, Ada!', structured: { greeted: 'Ada' } });
});

test('says what is wrong with the input', async () => {
  await assert.rejects(functions.hello({ name: '' }), /name must not be empty/);
});
`,
  };
  await mkdir(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text, { flag: 'wx' });
  return Object.keys(files);
}
