// The ways others write servers down: the `mcpServers` map, VS Code's `servers` with `inputs`, a registry's server.json. Pure:
// nothing starts because of what is read here, it becomes requests that wait for approval.
import stripJsonComments from 'strip-json-comments';
import { z } from 'zod';
import { AppError } from '../../shared/errors.js';
import type { ImportGrants, ImportRequest, ImportSource } from './import-request.js';
import { SERVER_NAME } from './server-definition.js';

const SERVERS_MAX = 100;

/** Some write numbers and switches as they are. */
const Value = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const Stdio = z.object({
  command: z.string().min(1).max(1_000),
  args: z.array(z.string().max(4_000)).max(100).default([]),
  env: z.record(z.string().max(128), Value.pipe(z.string().max(10_000))).default({}),
  envFile: z.string().optional(),
  cwd: z.string().min(1).max(4_000).optional(),
});
const Remote = z
  .object({
    url: z.string().min(1).max(2_000).optional(),
    // As some editors call it.
    serverUrl: z.string().min(1).max(2_000).optional(),
    httpUrl: z.string().min(1).max(2_000).optional(),
    headers: z.record(z.string().max(100), Value.pipe(z.string().max(4_000))).default({}),
  })
  .transform(({ url, serverUrl, httpUrl, headers }) => ({ url: url ?? serverUrl ?? httpUrl, headers }));
const Switch = z.object({ disabled: z.boolean().optional(), enabled: z.boolean().optional() });
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
  /** Values that were written out, under the names that stand for them in the requests. */
  secrets: { name: string; value: string }[];
}

export interface ReadOptions {
  /** Takes values that look secret out of the configuration, to be kept as secrets; else their server is left out. */
  keepSecrets: boolean;
  /** Of whoever runs this: what `~` and `${userHome}` stand for. */
  home: string;
}

/** With comments and a comma too many, as editors write it. @throws AppError `invalid_input` */
export function parseConfig(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(stripJsonComments(text, { trailingCommas: true }));
  } catch {
    // Said below.
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AppError('invalid_input', 'The configuration cannot be read as JSON.');
  return value as Record<string, unknown>;
}

/** Values of variables become references to stored secrets. */
export function readConfig(config: Readonly<Record<string, unknown>>, options: ReadOptions): ReadConfig {
  if (typeof config['name'] === 'string' && (config['packages'] !== undefined || config['remotes'] !== undefined))
    return { ...fromServerJson(config), secrets: [] };
  const map = config['mcpServers'] ?? config['servers'] ?? asObject(config['mcp'])?.['servers'];
  if (typeof map !== 'object' || map === null || Array.isArray(map))
    throw new AppError(
      'invalid_input',
      'This is no configuration of MCP servers: it has neither mcpServers nor servers.',
    );
  const read: ReadConfig = { requests: [], skipped: [], secrets: [] };
  for (const [name, entry] of Object.entries(map).slice(0, SERVERS_MAX)) {
    try {
      const { request, secrets } = fromEntry(name, entry, options);
      if (read.requests.some((other) => other.name === request.name))
        throw new AppError('invalid_input', 'another one has this name');
      read.requests.push(request);
      read.secrets.push(...secrets);
    } catch (error) {
      read.skipped.push({ name, reason: error instanceof AppError ? error.message : 'it cannot be read' });
    }
  }
  return read;
}

function fromEntry(
  called: string,
  entry: unknown,
  options: ReadOptions,
): { request: ImportRequest; secrets: ReadConfig['secrets'] } {
  const name = serverName(called);
  const { disabled = false, enabled = true } = Switch.catch({}).parse(entry);
  const off = disabled || !enabled;
  const common = {
    name,
    ...(called === name ? {} : { title: called.slice(0, 200) }),
    ...(off ? { disabled: true } : {}),
  };
  const remote = Remote.safeParse(entry);
  if (remote.success && remote.data.url !== undefined) {
    const { plain, references, values } = split(remote.data.headers, name, options);
    return {
      request: {
        ...common,
        source: { kind: 'remote', url: remote.data.url, headers: plain, allowPrivate: false },
        grants: grants({ secrets: references }),
      },
      secrets: values,
    };
  }
  const { command, args, env, envFile, cwd } = Stdio.parse(entry);
  if (envFile !== undefined)
    throw new AppError('invalid_input', `its variables are in a file (${envFile.slice(0, 200)}); write them as env`);
  const place = (text: string) => expanded(text, options.home);
  const words = args.map(place);
  if (words.some((word) => /\$\{/.test(word)))
    throw new AppError(
      'invalid_input',
      'its arguments hold a variable; everybody on this machine could read the value, so pass it by env',
    );
  const folder = cwd === undefined ? null : place(cwd);
  if (folder !== null && /\$\{/.test(folder))
    throw new AppError(
      'invalid_input',
      `its folder (${folder.slice(0, 200)}) is known to an editor only; write it out`,
    );
  const kept = Object.entries(env).filter(([variable]) => !OURS.test(variable));
  const dropped = Object.keys(env).filter((variable) => OURS.test(variable));
  const { plain, references, values } = split(
    Object.fromEntries(kept.map(([variable, value]) => [variable, place(value)])),
    name,
    options,
  );
  const source = fromCommand(place(command), words, folder);
  return {
    request: {
      ...common,
      source,
      grants: grants({ environment: plain, secrets: references }),
      ...(dropped.length > 0
        ? { notes: [`Its configuration sets ${dropped.join(', ')}, which is left out: a server gets ours.`] }
        : {}),
    },
    secrets: values,
  };
}

/** What a server finds as this machine has it. */
const OURS = /^(PATH|HOME)$/i;

const expanded = (text: string, home: string): string =>
  text
    .replace(/^~(?=\/|$)/, home)
    .replace(/\$\{(userHome|pathSeparator|\/)\}/g, (_all, name) => (name === 'userHome' ? home : '/'));

/** Starters of packages become the packages themselves, pinned and without install scripts. */
function fromCommand(command: string, args: readonly string[], cwd: string | null): ImportSource {
  // As a starter is started on Windows.
  if (/^cmd(\.exe)?$/i.test(command) && /^\/c$/i.test(args[0] ?? '') && args[1] !== undefined)
    return fromCommand(args[1], args.slice(2), cwd);
  const first = args.findIndex((word) => !['-y', '--yes', '-q', '--quiet'].includes(word));
  // Options of the starter come before the package; what follows is the server's.
  const [spec, ...rest] = first < 0 ? [] : args.slice(first);
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
  return { kind: 'config', command, args, ...(cwd === null ? {} : { cwd }) };
}

function fromServerJson(config: Readonly<Record<string, unknown>>): Pick<ReadConfig, 'requests' | 'skipped'> {
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
function split(
  given: Readonly<Record<string, string>>,
  server: string,
  { keepSecrets }: ReadOptions,
): { plain: Record<string, string>; references: Record<string, string>; values: ReadConfig['secrets'] } {
  const plain: Record<string, string> = {};
  const references: Record<string, string> = {};
  const values: ReadConfig['secrets'] = [];
  for (const [name, value] of Object.entries(given)) {
    const reference = /^(?:Bearer )?\$\{(?:(?:env|input):)?([A-Za-z0-9][\w.-]{0,99})\}$/.exec(value)?.[1];
    if (reference !== undefined) references[name] = reference;
    else if (/\$\{/.test(value)) throw new AppError('invalid_input', `${name} mixes a variable with other text`);
    else if (!/key|token|secret|password|authorization/i.test(name) || value === '') plain[name] = value;
    else if (keepSecrets) {
      const secret = `${server}.${name}`.replace(/[^\w.-]/g, '-').slice(0, 100);
      references[name] = secret;
      values.push({ name: secret, value });
    } else
      throw new AppError(
        'invalid_input',
        `${name} looks like a secret; store it and write \${${name}} in its place, or let its value be kept as a secret`,
      );
  }
  return { plain, references, values };
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

const asObject = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
