// venom mcp import|plans|approve|discard|list|tools|trust|call|logs|update|rollback|remove|doctor|secret
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { AppError } from '../../shared/errors.js';
import type { ApiClient } from '../api-client.js';
import type { CommandContext } from '../command-context.js';
import { followOperation, type Operation } from '../operation-progress.js';
import { table } from '../terminal.js';
import {
  type BundleSetting,
  type BundleSignature,
  describeSettings,
  describeSignature,
  uploadBundle,
} from './mcp-bundle.js';

const CALL_MS = 600_000;
const START_MS = 60_000;

export interface ImportOptions {
  ref?: string;
  entrypoint?: string;
  ignoreLock?: boolean;
  arg: string[];
  env: string[];
  secret: string[];
  set: string[];
  setSecret: string[];
  network?: boolean;
  read: string[];
  write: string[];
  trusted?: boolean;
  allowPlain?: boolean;
  allowPrivate?: boolean;
  writeNamed?: boolean;
  keepSecrets?: boolean;
  yes?: boolean;
}

interface Plan {
  plan_id: string;
  name: string;
  kind: string;
  source: { kind: string; location: string; version: string | null };
  build: { title: string; command: string[]; network: boolean }[];
  launch: { kind: string; command?: string; args?: string[]; url?: string };
  permissions: {
    network: boolean;
    readable: string[];
    writable: string[];
    environment: string[];
    secrets: Record<string, string>;
    isolation: string | null;
    trusted: boolean;
    allow_plain: boolean;
  };
  dependencies: string[];
  lock: { file: string; packages: number } | null;
  user_config: BundleSetting[];
  signature: BundleSignature | null;
  missing_config: string[];
  missing_secrets: string[];
  warnings: string[];
  hash: string;
}

interface Server {
  name: string;
  state: string;
  transport: string;
  isolation: string | null;
  tools: number;
  quarantined: number;
  quarantined_definitions: number;
  source: { version: string | null; location: string } | null;
  last_error: { message: string } | null;
}

interface Tool {
  name: string | null;
  tool: string;
  title: string | null;
  claims: { read_only: boolean | null; destructive: boolean | null };
  state: string;
  permission: string;
  hash: string;
  refused: string | null;
  changes: { field: string; before: unknown; after: unknown }[];
}

const waitingOf = ({ quarantined, quarantined_definitions: definitions }: Server): number => quarantined + definitions;

const at = (name: string, rest = ''): string => `/api/v1/mcp/servers/${encodeURIComponent(name)}${rest}`;

/**
 * @param source  a Git address, `npm:NAME[@VERSION]`, `pypi:NAME[==VERSION]`, an http(s) address, a bundle, or a
 * configuration file
 */
export async function importServer(
  context: CommandContext,
  source: string,
  name: string | undefined,
  options: ImportOptions,
): Promise<void> {
  const client = await context.server();
  if (source.endsWith('.json') && !/^[a-z]+:\/\//.test(source)) return importConfig(context, client, source, options);
  if (name === undefined) throw new AppError('invalid_input', 'Name the server: venom mcp import SOURCE NAME');
  const isBundle = /\.(mcpb|dxt)$/i.test(source) && !/^[a-z]+:\/\//.test(source);
  const { operation } = await client.post<{ operation: Operation }>('/api/v1/mcp/import', {
    name,
    source: isBundle ? await uploadBundle(client, source, options) : toSource(source, options),
    environment: pairs(options.env, '--env'),
    secrets: pairs(options.secret, '--secret'),
    network: options.network === true,
    readable: options.read.map((folder) => resolve(folder)),
    writable: options.write.map((folder) => resolve(folder)),
    trusted: options.trusted === true,
    allow_plain: options.allowPlain === true,
  });
  await planned(context, client, operation.operation_id, options.yes === true);
}

async function importConfig(
  context: CommandContext,
  client: ApiClient,
  file: string,
  options: ImportOptions,
): Promise<void> {
  let config: string;
  try {
    config = readFileSync(file, 'utf8');
  } catch {
    throw new AppError('invalid_input', `${file} cannot be read.`);
  }
  const answer = await client.post<{ operations: Operation[]; skipped: { name: string; reason: string }[] }>(
    '/api/v1/mcp/import/config',
    {
      config,
      network: options.network === true,
      write_named: options.writeNamed === true,
      keep_secrets: options.keepSecrets === true,
    },
  );
  for (const { name, reason } of answer.skipped) context.terminal.note(`${name} was left out: ${reason}`);
  for (const { operation_id: id, model_name: name } of answer.operations)
    await followOperation(client, context.terminal, id).catch((error: AppError) =>
      context.terminal.note(`${name} cannot be imported: ${error.message}`),
    );
  context.terminal.result(answer, 'Look at them with `venom mcp plans`, and agree with `venom mcp approve`.');
}

async function planned(context: CommandContext, client: ApiClient, operationId: string, yes: boolean): Promise<void> {
  const operation = await followOperation(client, context.terminal, operationId);
  const plan = await findPlan(client, String(operation.result?.['plan_id']));
  if (!yes)
    return context.terminal.result(
      plan,
      `${describe(plan)}\n\nAgree to exactly this:  venom mcp approve ${plan.plan_id} ${plan.hash}`,
    );
  context.terminal.note(describe(plan));
  await approve(context, plan.plan_id, plan.hash);
}

export async function listPlans(context: CommandContext): Promise<void> {
  const client = await context.server();
  const answer = await client.get<{ plans: Plan[] }>('/api/v1/mcp/plans');
  const text = answer.plans.map((plan) => `${describe(plan)}\n  agree: venom mcp approve ${plan.plan_id} ${plan.hash}`);
  context.terminal.result(answer, text.length === 0 ? 'No plan waits.' : text.join('\n\n'));
}

export async function approve(context: CommandContext, planId: string, hash: string): Promise<void> {
  const client = await context.server();
  const answer = await client.post<{ operation: Operation }>(
    `/api/v1/mcp/plans/${encodeURIComponent(planId)}/approve`,
    { hash },
  );
  const operation = await followOperation(client, context.terminal, answer.operation.operation_id);
  const { tools, quarantined, quarantined_definitions } = (operation.result ?? {}) as Partial<
    Record<'tools' | 'quarantined' | 'quarantined_definitions', string[]>
  >;
  const count = tools?.length ?? 0;
  const unread = [...(quarantined ?? []), ...(quarantined_definitions ?? [])];
  const waiting = unread.length > 0 ? `; to be looked at again: ${unread.join(', ')}` : '';
  context.terminal.result(
    operation,
    `${operation.model_name} is imported, ${count === 1 ? '1 tool' : `${count} tools`}${waiting}.`,
  );
}

export async function discardPlan(context: CommandContext, planId: string): Promise<void> {
  const client = await context.server();
  const answer = await client.delete(`/api/v1/mcp/plans/${encodeURIComponent(planId)}`);
  context.terminal.result(answer, 'The plan is gone.');
}

export async function listServers(context: CommandContext): Promise<void> {
  const client = await context.server();
  const answer = await client.get<{ servers: Server[] }>('/api/v1/mcp/servers');
  const rows = answer.servers.map((server) => [
    server.name,
    server.state,
    server.isolation ?? server.transport,
    `${server.tools}${waitingOf(server) > 0 ? ` (+${waitingOf(server)} to look at)` : ''}`,
    (server.source?.version ?? '').slice(0, 12),
    server.last_error?.message.slice(0, 80) ?? '',
  ]);
  context.terminal.result(
    answer,
    rows.length === 0
      ? 'No MCP server is imported.'
      : table(['NAME', 'STATE', 'ISOLATION', 'TOOLS', 'VERSION', ''], rows),
  );
}

export async function listTools(context: CommandContext, name: string): Promise<void> {
  const client = await context.server();
  const answer = await client.get<{ tools: Tool[] }>(at(name, '/tools'));
  const rows = answer.tools.map((tool) => [
    tool.title ?? '',
    tool.name ?? tool.tool,
    tool.state,
    tool.permission,
    claimOf(tool),
    tool.refused ?? '',
  ]);
  const changes = answer.tools
    .filter(({ changes: changed }) => changed.length > 0)
    .map((tool) =>
      [
        ...tool.changes.map(({ field, before, after }) =>
          [
            `${tool.tool}, ${field}:`,
            ...(before === null ? [] : [`  - ${JSON.stringify(before)}`]),
            ...(after === null ? [] : [`  + ${JSON.stringify(after)}`]),
          ].join('\n'),
        ),
        `  agree: venom mcp trust ${name} ${tool.tool} ${tool.hash}`,
      ].join('\n'),
    );
  context.terminal.result(
    answer,
    [table(['TOOL', 'CALLED AS', 'STATE', 'PERMISSION', 'SERVER SAYS', ''], rows), ...changes].join('\n\n'),
  );
}

/** Its own word. */
const claimOf = ({ claims }: Tool): string =>
  claims.read_only ? 'only reads' : claims.destructive ? 'may destroy' : claims.read_only === false ? 'changes' : '';

export async function trustTool(context: CommandContext, name: string, tool: string, hash: string): Promise<void> {
  const client = await context.server();
  const answer = await client.post(at(name, '/tools/approve'), { tool, hash });
  context.terminal.result(answer, `${tool} of ${name} may be used.`);
}

export async function callTool(context: CommandContext, tool: string, input: string): Promise<void> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(input);
  } catch {
    throw new AppError('invalid_input', 'The input must be JSON, such as \'{"text": "hello"}\'.');
  }
  const client = await context.server();
  const answer = await client.post<{ status: string; text: string }>(
    '/api/v1/mcp/call',
    { tool, input: parsed },
    CALL_MS,
  );
  if (answer.status === 'failed') process.exitCode = 1;
  context.terminal.result(answer, answer.text);
}

export async function serverLogs(context: CommandContext, name: string): Promise<void> {
  const client = await context.server();
  const answer = await client.get<{ lines: string[] }>(at(name, '/logs'));
  context.terminal.result(answer, answer.lines.join('\n'));
}

export async function changeServer(
  context: CommandContext,
  name: string,
  change: 'enable' | 'disable' | 'restart' | 'refresh' | 'rollback',
): Promise<void> {
  const client = await context.server();
  const answer = await client.post<{ server: Server }>(at(name, `/${change}`), {}, START_MS);
  const { source, tools, quarantined, quarantined_definitions: definitions } = answer.server;
  const waiting = [
    ...(quarantined > 0 ? [`, ${quarantined} to be looked at: venom mcp tools ${name}`] : []),
    ...(definitions > 0 ? [`, ${definitions} other definitions to be looked at: venom mcp definitions ${name}`] : []),
  ].join('');
  const done = {
    enable: 'may be used again',
    disable: 'is switched off',
    restart: 'has ended; the next call starts it',
    refresh: `has ${tools === 1 ? '1 tool' : `${tools} tools`}${waiting}`,
    rollback: `is back at ${(source?.version ?? 'the version before').slice(0, 12)}${waiting}`,
  };
  context.terminal.result(answer, `${name} ${done[change]}.`);
}

export async function updateServer(
  context: CommandContext,
  name: string,
  options: { ref?: string; yes?: boolean },
): Promise<void> {
  const client = await context.server();
  const { operation } = await client.post<{ operation: Operation }>(at(name, '/update'), {
    ref: options.ref ?? null,
    version: options.ref ?? null,
  });
  await planned(context, client, operation.operation_id, options.yes === true);
}

export async function removeServer(context: CommandContext, name: string): Promise<void> {
  const client = await context.server();
  context.terminal.result(await client.delete(at(name), START_MS), `${name} is removed, with its files.`);
}

/** To stdout: a shell sends it where it should go. */
export async function exportServers(
  context: CommandContext,
  { format = 'mcpServers' }: { format?: string },
): Promise<void> {
  const client = await context.server();
  const config = await client.get(`/api/v1/mcp/export?${new URLSearchParams({ format })}`);
  context.terminal.result(config, JSON.stringify(config, null, 2));
}

export async function mcpDoctor(context: CommandContext): Promise<void> {
  const client = await context.server();
  const answer = await client.get<{
    isolation: { best: string; available: string[] };
    programs: Record<string, string | null>;
    servers: Server[];
    plans_waiting: number;
  }>('/api/v1/mcp/doctor');
  const lines = [
    `Isolation: ${answer.isolation.best} (available: ${answer.isolation.available.join(', ')})`,
    ...(answer.isolation.best === 'plain' ? ['  install bubblewrap: without it only servers you vouch for run'] : []),
    ...Object.entries(answer.programs).map(([name, path]) => `${name}: ${path ?? 'not found'}`),
    ...answer.servers.map(
      (server) =>
        `${server.name}: ${server.state}, ${server.last_error?.message ?? `${server.quarantined} tools and ${server.quarantined_definitions} other definitions to look at`}`,
    ),
    ...(answer.plans_waiting > 0 ? [`${answer.plans_waiting} plans wait: venom mcp plans`] : []),
  ];
  context.terminal.result(answer, lines.join('\n'));
}

/** The value comes by a pipe, so that it stands in no history and no list of processes. */
export async function storeSecret(context: CommandContext, name: string): Promise<void> {
  const value = readFileSync(0, 'utf8').trim();
  const client = await context.server();
  const answer = await client.put(`/api/v1/mcp/secrets/${encodeURIComponent(name)}`, { value });
  context.terminal.result(answer, `${name} is stored.`);
}

async function findPlan(client: ApiClient, planId: string): Promise<Plan> {
  const { plans } = await client.get<{ plans: Plan[] }>('/api/v1/mcp/plans');
  const plan = plans.find((known) => known.plan_id === planId);
  if (!plan) throw new AppError('not_found', `There is no plan ${planId}.`);
  return plan;
}

function describe({
  name,
  kind,
  source,
  build,
  launch,
  permissions,
  dependencies,
  lock,
  user_config: settings,
  signature,
  missing_config: unanswered,
  missing_secrets: missing,
  warnings,
}: Plan): string {
  const list = (values: readonly string[]) => (values.length === 0 ? 'none' : values.join(', '));
  return [
    `${name} (${kind}) from ${source.location}${source.version ? ` at ${source.version}` : ''}`,
    ...build.map((step) => `  build:    ${step.title}: ${step.command.join(' ')}`),
    `  starts:   ${launch.url ?? [launch.command, ...(launch.args ?? [])].join(' ')}`,
    `  needs:    ${list(dependencies)}`,
    ...(lock ? [`  locked:   by ${lock.file}: of its ${lock.packages} packages exactly those this machine needs`] : []),
    `  network:  ${permissions.network ? 'yes' : 'no'}`,
    `  reads:    ${list(permissions.readable)}`,
    `  changes:  ${list(permissions.writable)}`,
    `  secrets:  ${list(Object.entries(permissions.secrets).map(([variable, secret]) => `${variable} = ${secret}`))}`,
    `  runs:     ${permissions.isolation ?? 'elsewhere'}${permissions.trusted ? ', trusted' : ''}`,
    ...(signature ? [`  signed:   ${describeSignature(signature)}`] : []),
    ...describeSettings(settings, unanswered),
    ...(missing.length > 0 ? [`  missing:  ${missing.join(', ')} (venom mcp secret NAME)`] : []),
    ...warnings.map((warning) => `  note:     ${warning}`),
  ].join('\n');
}

function toSource(
  source: string,
  { ref, entrypoint, arg, allowPrivate, ignoreLock }: ImportOptions,
): Record<string, unknown> {
  const [, registry, spec] = /^(npm|pypi):(.+)$/.exec(source) ?? [];
  if (registry !== undefined && spec !== undefined) {
    const [, name, version] = /^(@?[^@=]+)(?:@|==)?(.*)$/.exec(spec) ?? [];
    return { kind: registry, package: name, version: version || null, program: entrypoint ?? null, args: arg };
  }
  if (/^https?:\/\//.test(source) && !/\.git\/?$/.test(source) && ref === undefined && entrypoint === undefined)
    return { kind: 'remote', url: source, allow_private: allowPrivate === true };
  return {
    kind: 'git',
    url: source,
    ref: ref ?? null,
    entrypoint: entrypoint ?? null,
    ...(ignoreLock ? { ignore_lock: true } : {}),
  };
}

function pairs(values: readonly string[], option: string): Record<string, string> {
  return Object.fromEntries(
    values.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new AppError('invalid_input', `${option} is written NAME=VALUE.`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
