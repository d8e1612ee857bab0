// docs/settings.md, .env.example and docs/errors.md say what the code says. `UPDATE_DOCS=1` writes the first two anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { loadSettingsWithSources, type SettingInEffect } from '../src/config/config.js';
import { STATUS } from '../src/http/error-handler.js';
import { ERROR_CODES } from '../src/shared/errors.js';

const ROOT = resolve(import.meta.dirname, '..');
const { inEffect } = loadSettingsWithSources({ ENV_FILE: '/dev/null' }, '/');

const settingsDoc = (settings: readonly SettingInEffect[]) => `# Settings

Read once at start, from the environment and from one file: \`.env\` in the folder the server is started in, or the file
named by \`ENV_FILE\`. The environment wins. Unknown names are ignored; wrong values stop the start, all of them named at
once. The System page and \`GET /api/v1/system/settings\` show what is in effect. Secrets are never shown or logged.

| Name | Default | Meaning |
|---|---|---|
${settings.map(({ name, default: value, description, secret }) => `| \`${name}\` | ${value === '' ? '(empty)' : `\`${value}\``} | ${description}${secret ? ' (secret)' : ''} |`).join('\n')}
`;

const envExample = (
  settings: readonly SettingInEffect[],
) => `# Copy to .env and change what you need. Every line shows the default. docs/settings.md has the same list.
${settings.map(({ name, default: value, description }) => `\n# ${description}\n#${name}=${value}`).join('\n')}
`;

it.each([
  ['docs/settings.md', settingsDoc(inEffect)],
  ['.env.example', envExample(inEffect)],
])('%s lists every setting with its default', (path, expected) => {
  const file = join(ROOT, path);
  if (process.env['UPDATE_DOCS']) writeFileSync(file, expected);
  expect(readFileSync(file, 'utf8')).toBe(expected);
});

it('docs/errors.md lists every code with its status', () => {
  const rows = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8').matchAll(/^\| `(\w+)` \| (\d{3}) \| .{10,} \|$/gm);
  const documented = Object.fromEntries([...rows].map(([, code, status]) => [code, Number(status)]));
  expect(documented).toEqual(STATUS);
  expect(Object.keys(documented)).toEqual([...ERROR_CODES]);
});
