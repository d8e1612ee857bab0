// How a server will be started: from what its source says and what it was granted, and later in the folders it really has.
// Pure.
import { join } from 'node:path';
import { WORKSPACE } from './import-leftovers.js';
import type { ImportRequest } from './import-request.js';
import type { FoundSource } from './look-at-source.js';
import type { Launch, RemoteLaunch, StdioLaunch } from './server-definition.js';

/** With `{source}` and `{env}` for folders that do not exist yet. @param home  folder of everything of this server */
export function launchOf({ source, grants }: ImportRequest, found: FoundSource, home: string): Launch {
  if (source.kind === 'remote')
    return {
      kind: 'http',
      url: source.url,
      headers: source.headers,
      secrets: grants.secrets,
      allowPrivate: source.allowPrivate,
    } satisfies RemoteLaunch;
  const workspace = join(home, WORKSPACE);
  // Some servers keep what they write beside their code, which they may not change, unless they are told a place.
  const own = (text: string) => text.replaceAll('{workspace}', workspace);
  const environment = Object.entries({ ...grants.environment, ...found.environment });
  return {
    kind: 'stdio',
    command: found.command,
    args: found.args.map(own),
    cwd: source.kind === 'config' && source.cwd ? source.cwd : workspace,
    environment: Object.fromEntries(environment.map(([name, value]) => [name, own(value)])),
    secrets: { ...grants.secrets, ...found.secrets },
    network: grants.network,
    readable: [
      ...new Set([...(found.staged ? ['{source}', '{env}'] : []), ...(found.readable ?? []), ...grants.readable]),
    ],
    writable: [workspace, ...grants.writable],
  } satisfies StdioLaunch;
}

/** Of a bundle's own files, the one it starts. */
export function executablesOf(launch: Launch): string[] {
  const own = '{source}/';
  return launch.kind === 'stdio' && launch.command.startsWith(own) ? [launch.command.slice(own.length)] : [];
}

/** The folders a plan speaks of, as they are on this machine. */
export function settled(launch: Launch, { source, env }: { source: string; env: string }): Launch {
  if (launch.kind === 'http') return launch;
  const place = (text: string) =>
    text.replaceAll('{source}', source).replaceAll('{env}', env).replaceAll('{node}', process.execPath);
  return {
    ...launch,
    command: place(launch.command),
    args: launch.args.map(place),
    environment: Object.fromEntries(Object.entries(launch.environment).map(([name, value]) => [name, place(value)])),
    readable: launch.readable.map(place),
  };
}
