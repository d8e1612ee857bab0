// Imported servers as others write them down: a package by its starter, a remote one by its address, secrets by name only. Pure.
import type { ServerRecord, StdioLaunch } from './server-definition.js';

export const EXPORT_FORMATS = ['mcpServers', 'vscode'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** `mcpServers` as most clients read it; `servers` with `inputs` as VS Code does, which asks for secrets when it needs them. */
export function writeConfig(records: readonly ServerRecord[], format: ExportFormat): Record<string, unknown> {
  if (format === 'mcpServers')
    return {
      mcpServers: Object.fromEntries(
        records.map((record) => [nameOf(record, records), entryOf(record, (secret) => `\${${secret}}`)]),
      ),
    };
  const secrets = new Set(records.flatMap(({ active }) => Object.values(active.launch.secrets)));
  return {
    inputs: [...secrets].map((id) => ({ type: 'promptString', id, description: id, password: true })),
    servers: Object.fromEntries(
      records.map((record) => {
        const entry = entryOf(record, (secret) => `\${input:${secret}}`);
        return [nameOf(record, records), 'command' in entry ? { type: 'stdio', ...entry } : entry];
      }),
    ),
  };
}

type Reference = (secret: string) => string;

function entryOf(record: ServerRecord, reference: Reference): Record<string, unknown> {
  const { enabled, active } = record;
  const { launch, manifest } = active;
  const off = enabled ? {} : { disabled: true };
  const secrets = (bearer: boolean) =>
    Object.fromEntries(
      Object.entries(launch.secrets).map(([name, secret]) => [
        name,
        // As it is sent.
        `${bearer && name.toLowerCase() === 'authorization' ? 'Bearer ' : ''}${reference(secret)}`,
      ]),
    );
  if (launch.kind === 'http') {
    const headers = { ...launch.headers, ...secrets(true) };
    return {
      type: manifest?.wire ?? 'http',
      url: launch.url,
      ...(Object.keys(headers).length > 0 ? { headers } : {}),
      ...off,
    };
  }
  const env = { ...launch.environment, ...secrets(false) };
  return { ...commandOf(record, launch), ...(Object.keys(env).length > 0 ? { env } : {}), ...off };
}

/** A package by what starts it anywhere; anything else as it starts here. */
function commandOf({ origin, active }: ServerRecord, launch: StdioLaunch): Record<string, unknown> {
  const source = origin?.source;
  const { version } = active.source;
  if (source?.kind === 'npm' || source?.kind === 'pypi') {
    const args = source.args.map((word) => word.replaceAll('{workspace}', launch.cwd));
    const { program } = source;
    const spec = `${source.package}${version === null ? '' : `${source.kind === 'npm' ? '@' : '=='}${version}`}`;
    if (source.kind === 'npm')
      return { command: 'npx', args: ['-y', ...(program ? ['--package', spec, program] : [spec]), ...args] };
    return { command: 'uvx', args: [...(program ? ['--from', spec, program] : [spec]), ...args] };
  }
  const folder = source?.kind === 'config' && source.cwd ? { cwd: source.cwd } : {};
  return { command: launch.command, args: [...launch.args], ...folder };
}

/** As it was called where it came from, where that says which it is. */
function nameOf({ name, title }: ServerRecord, records: readonly ServerRecord[]): string {
  const slug = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return slug === name && records.filter((other) => other.title === title).length === 1 ? title : name;
}
