// The ways others write servers down: the `mcpServers` map, VS Code's `servers` with `inputs`, a registry's server.json; and
// the same map written. Pure: nothing starts because of what is read here, it becomes requests that wait for approval.
import { z } from 'zod';
import { AppError } from '../../shared/errors.js';
import type { ImportGrants, ImportRequest, ImportSource } from './import-request.js';
import { SERVER_NAME, type ServerRecord } from './server-definition.js';

const SERVERS_MAX = 100;

const Stdio = z.object({
  command: z.string().min(1).max(1_000),
  args: z.array(z.string().max(4_000)).max(100).default([]),
  env: z.record(z.string().max(128), z.string().max(10_000)).default({}),
});
const Remote = z.object({
  url: z.string().min(1).max(2_000),
  headers: z.record(z.string().max(100), z.string().max(4_000)).default({}),
});
const ServerJson = z.object({
  name: z.string().min(1).max(200),
  title: z.string().max(200).optional(),
  packages: z
    .array(
      z.object({
        registryType: z.string(),
        identifier: z.string().max(300),
        version: z.string().max(100).optional(),
        packageArguments: z
          .array(z.object({ type: z.string().optional(), name: z.string().optional(), value: z.string().optional() }))
          .max(100)
          .default([]),
        environmentVariables: z
          .array(
            z.object({
              name: z.string().max(128),
              isSecret: z.boolean().default(false),
              default: z.string().optional(),
            }),
          )
          .max(100)
          .default([]),
      }),
    )
    .max(20)
    .default([]),
  remotes: z
    .array(
      z.object({
        url: z.string().max(2_000),
        headers: z
          .array(
            z.object({ name: z.string().max(100), isSecret: z.boolean().default(false), value: z.string().optional() }),
          )
          .max(50)
          .default([]),
      }),
    )
    .max(20)
    .default([]),
});

export interface ReadConfig {
  requests: ImportRequest[];
  skipped: { name: string; reason: string }[];
}

/** Values of variables become references to stored secrets; a value that is written out and looks secret is refused. */
export function readConfig(config: Readonly<Record<string, unknown>>): ReadConfig {
  if (typeof config['name'] === 'string' && (config['packages'] !== undefined || config['remotes'] !== undefined))
    return fromServerJson(config);
  const map = config['mcpServers'] ?? config['servers'];
  if (typeof map !== 'object' || map === null || Array.isArray(map))
    throw new AppError(
      'invalid_input',
      'This is no configuration of MCP servers: it has neither mcpServers nor servers.',
    );
  const requests: ImportRequest[] = [];
  const skipped: ReadConfig['skipped'] = [];
  for (const [name, entry] of Object.entries(map).slice(0, SERVERS_MAX)) {
    try {
      const request = fromEntry(serverName(name), entry);
      if (requests.some((other) => other.name === request.name))
        throw new AppError('invalid_input', 'another one has this name');
      requests.push(request);
    } catch (error) {
      skipped.push({ name, reason: error instanceof AppError ? error.message : 'it cannot be read' });
    }
  }
  return { requests, skipped };
}

/** The same map, without secrets: they are named as variables. */
export function writeConfig(records: readonly ServerRecord[]): { mcpServers: Record<string, unknown> } {
  return {
    mcpServers: Object.fromEntries(
      records.map(({ name, active: { launch } }) => [
        name,
        launch.kind === 'http'
          ? { type: 'http', url: launch.url, headers: { ...launch.headers, ...asVariables(launch.secrets) } }
          : {
              command: launch.command,
              args: launch.args,
              env: { ...launch.environment, ...asVariables(launch.secrets) },
            },
      ]),
    ),
  };
}

function fromEntry(name: string, entry: unknown): ImportRequest {
  const remote = Remote.safeParse(entry);
  if (remote.success) {
    const { plain, secrets } = split(remote.data.headers);
    return {
      name,
      source: { kind: 'remote', url: remote.data.url, headers: plain, allowPrivate: false },
      grants: grants({ secrets }),
    };
  }
  const { command, args, env } = Stdio.parse(entry);
  if (args.some((word) => /\$\{/.test(word)))
    throw new AppError(
      'invalid_input',
      'its arguments hold a variable; everybody on this machine could read the value, so pass it by env',
    );
  const { plain, secrets } = split(env);
  return { name, source: fromCommand(command, args), grants: grants({ environment: plain, secrets }) };
}

/** Starters of packages become the packages themselves, pinned and without install scripts. */
function fromCommand(command: string, args: readonly string[]): ImportSource {
  const words = args.filter((word) => !['-y', '--yes', '-q', '--quiet'].includes(word));
  const [spec, ...rest] = words;
  if (command === 'npx' && spec !== undefined && !spec.startsWith('-')) {
    const at = spec.lastIndexOf('@');
    return {
      kind: 'npm',
      package: at > 0 ? spec.slice(0, at) : spec,
      version: at > 0 && spec.slice(at + 1) !== 'latest' ? spec.slice(at + 1) : null,
      program: null,
      args: rest,
    };
  }
  if (command === 'uvx' && spec !== undefined && !spec.startsWith('-')) {
    const [name, version] = spec.split(/==|@/) as [string, string | undefined];
    const pinned = version === undefined || version === 'latest' ? null : version;
    return { kind: 'pypi', package: name, version: pinned, program: null, args: rest };
  }
  return { kind: 'config', command, args };
}

function fromServerJson(config: Readonly<Record<string, unknown>>): ReadConfig {
  const { name: full, title, packages, remotes } = ServerJson.parse(config);
  const name = serverName(full.split('/').at(-1) ?? full);
  const known = packages.find(({ registryType }) => registryType === 'npm' || registryType === 'pypi');
  const shown = title === undefined ? {} : { title };
  if (known) {
    const secrets = known.environmentVariables
      .filter(({ isSecret }) => isSecret)
      .map((variable) => [variable.name, variable.name]);
    const plain = known.environmentVariables.flatMap((variable) =>
      !variable.isSecret && variable.default !== undefined ? [[variable.name, variable.default]] : [],
    );
    const source: ImportSource = {
      kind: known.registryType as 'npm' | 'pypi',
      package: known.identifier,
      version: known.version ?? null,
      program: null,
      args: known.packageArguments.flatMap((argument) =>
        [argument.name, argument.value].filter((word) => word !== undefined),
      ),
    };
    const own = grants({ environment: Object.fromEntries(plain), secrets: Object.fromEntries(secrets) });
    return { requests: [{ name, ...shown, source, grants: own }], skipped: [] };
  }
  const remote = remotes[0];
  if (!remote)
    return {
      requests: [],
      skipped: [{ name: full, reason: 'it has no package of npm or PyPI and no remote address' }],
    };
  const headers = Object.fromEntries(
    remote.headers.flatMap((header) =>
      !header.isSecret && header.value !== undefined ? [[header.name, header.value]] : [],
    ),
  );
  const secrets = Object.fromEntries(
    remote.headers.filter(({ isSecret }) => isSecret).map((header) => [header.name, `${name}.${header.name}`]),
  );
  return {
    requests: [
      {
        name,
        ...shown,
        source: { kind: 'remote', url: remote.url, headers, allowPrivate: false },
        grants: grants({ secrets }),
      },
    ],
    skipped: [],
  };
}

/** `${NAME}`, `${env:NAME}` and `${input:NAME}` name a stored secret. */
function split(values: Readonly<Record<string, string>>): {
  plain: Record<string, string>;
  secrets: Record<string, string>;
} {
  const plain: Record<string, string> = {};
  const secrets: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) {
    const reference = /^(?:Bearer )?\$\{(?:(?:env|input):)?([A-Za-z0-9][\w.-]{0,99})\}$/.exec(value)?.[1];
    if (reference !== undefined) secrets[name] = reference;
    else if (/\$\{/.test(value)) throw new AppError('invalid_input', `${name} mixes a variable with other text`);
    else if (/key|token|secret|password|authorization/i.test(name) && value !== '')
      throw new AppError('invalid_input', `${name} looks like a secret; store it and write \${${name}} in its place`);
    else plain[name] = value;
  }
  return { plain, secrets };
}

/** Nothing is granted because a file says so. */
const grants = (own: Partial<ImportGrants>): ImportGrants => ({
  environment: {},
  secrets: {},
  network: false,
  readable: [],
  writable: [],
  trusted: false,
  allowPlain: false,
  ...own,
});

function serverName(text: string): string {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
    .slice(0, 40);
  if (!SERVER_NAME.test(name)) throw new AppError('invalid_input', 'its name holds no letter');
  return name;
}

const asVariables = (secrets: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(secrets).map(([name, secret]) => [name, `\${${secret}}`]));
