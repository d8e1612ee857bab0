// docs/settings.md, .env.example and docs/errors.md say what the code says, and the maps name what there is. `UPDATE_DOCS=1`
// writes the first two anew.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { loadSettingsWithSources, type SettingInEffect } from '../src/config/config.js';
import { STATUS } from '../src/http/error-handler.js';
import { ERROR_CODES } from '../src/shared/errors.js';

const ROOT = resolve(import.meta.dirname, '..');
const { inEffect } = loadSettingsWithSources({ ENV_FILE: '/dev/null' }, '/');

const SRC = join(ROOT, 'src');
const code = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.endsWith('settings-schema.ts'))
  .map((name) => readFileSync(join(SRC, name), 'utf8'))
  .join('\n');
/** Known, checked and shown, but read by nothing. */
const isRead = ({ name }: SettingInEffect): boolean => new RegExp(`\\b${name}\\b`).test(code);

const row = ({ name, default: value, description, secret }: SettingInEffect) =>
  `| \`${name}\` | ${value === '' ? '(empty)' : `\`${value}\``} | ${description}${secret ? ' (secret)' : ''} |`;

const settingsDoc = (settings: readonly SettingInEffect[]) => `# Settings

Read once at start, from the environment and from one file: \`.env\` in the folder the server is started in, or the file
named by \`ENV_FILE\`. The environment wins. Unknown names are ignored; wrong values stop the start, all of them named at
once. The System page and \`GET /api/v1/system/settings\` show what is in effect. Secrets are never shown or logged.

| Name | Default | Meaning |
|---|---|---|
${settings.filter(isRead).map(row).join('\n')}

## Taken, but without effect

Names that installations of the original carry in their environment. They are checked and shown, so that nothing stops a
start, but nothing here needs them: there is no ONNX engine in the process, models remembered by an engine are kept in the
database, abilities of a model are measured or asked for in the request, and prices name their models themselves.

| Name | Default | What it meant |
|---|---|---|
${settings
  .filter((setting) => !isRead(setting))
  .map(row)
  .join('\n')}

## Of the original, and not here

| Name | In its place |
|---|---|
| \`ACADEMY_MODELS_DIR\`, \`MEMORY_ROOT\`, \`STATE_FILE_PATH\`, \`PROMPTS_DIR\` | everything is in \`VENOM_DATA_DIR\`; more folders of models are \`MODELS_FOLDERS\` |
| \`ENABLE_CONTEXT_COMPRESSION\`, \`MAX_CONTEXT_TOKENS\` | the context is counted in the model's own tokens |
| \`ENABLE_MODEL_ROUTING\`, \`ENABLE_MULTI_SERVICE\`, \`ENABLE_HF_INTEGRATION\` | nothing read them; \`AI_MODE\` decides |
| \`VENOM_ROUTER_CACHE_ENABLED\` | a change of the policy counts from the next question on |
| \`HTTP_REQUEST_TIMEOUT\` | \`UPSTREAM_CONNECT_TIMEOUT_SECONDS\`, \`UPSTREAM_IDLE_TIMEOUT_SECONDS\` |
| \`TRANSLATION_TIMEOUT_PAPERS\` | \`TRANSLATION_TIMEOUT_NEWS\` counts for both |
| \`OLLAMA_NO_CLOUD\` | a setting of Ollama's own process |
| \`STOP_DATA_PORTS\` | there are no database servers to stop |
| \`GEMMA4_AUDIO_…\`, \`LAST_MODEL_GEMMA4_AUDIO\` | an extension that is not part of this system |
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

it('docs/TREE.md names every folder of src/ and test/', () => {
  const tree = readFileSync(join(ROOT, 'docs', 'TREE.md'), 'utf8');
  const folders = ['src', 'test'].flatMap((top) =>
    readdirSync(join(ROOT, top), { withFileTypes: true }).filter((entry) => entry.isDirectory()),
  );
  expect(folders.map(({ name }) => name).filter((name) => !new RegExp(`[ ]${name}/`).test(tree))).toEqual([]);
});

/** Files a skill of one's own has, in its own folder. */
const OF_SKILLS: ReadonlySet<string> = new Set(['skill.mjs', 'skill.test.mjs']);

it('every file that the documents name is there', () => {
  const files = ['src', 'test', 'scripts', 'bench', 'web/src', 'docs'].flatMap((top) =>
    readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' }).map((name) => `${top}/${name}`),
  );
  const documents = [
    'DEVELOPERS.md',
    'CONTRIBUTING.md',
    'docs/architecture.md',
    'docs/TREE.md',
    'docs/DEV_GUIDE_SKILLS.md',
  ];
  const missing = documents.flatMap((document) =>
    [...readFileSync(join(ROOT, document), 'utf8').matchAll(/`([\w./-]+\.(?:ts|mjs))`/g)]
      .map(([, name = '']) => name)
      .filter((name) => !OF_SKILLS.has(name) && !files.some((file) => `/${file}`.endsWith(`/${name}`)))
      .map((name) => `${document}: ${name}`),
  );
  expect(missing).toEqual([]);
});
