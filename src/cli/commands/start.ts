// venom start: the server in the background, and what a person wants to see meanwhile.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from '../../config/config.js';
import { AppError } from '../../shared/errors.js';
import type { ApiClient } from '../api-client.js';
import { type CommandContext, describeOther } from '../command-context.js';
import { refuseTakenPort } from '../doctor/network-checks.js';
import { linkGpuBuild } from '../gpu-build.js';
import { BUILD_STAMP, CHECKOUT } from '../installation.js';
import { type ServerRecord, startServer } from '../server-process.js';
import { describeStarter, followStarter, getStarter, type Starter } from '../starter-progress.js';

export async function start(context: CommandContext, options: { wait: boolean }): Promise<void> {
  const { terminal, settings } = context;
  const build = readBuild();
  const found = await context.ownServer();
  const record = found === undefined ? await startInBackground(context) : found.record;
  const url = found?.url ?? record?.url ?? '';
  terminal.note(found === undefined ? `Venom is running at ${url}` : `Venom is already running at ${url}`);
  if (found?.record !== undefined && found.record.build !== build) {
    terminal.note('It runs an older build than the one in dist/; `venom stop && venom start` renews it.');
  }
  const client = context.client(url);
  const starter = options.wait ? await waitForStarter(context, client) : await getStarter(client);
  if (starter.state === 'failed' || starter.state === 'absent') terminal.note(describeStarter(starter));
  terminal.result(
    {
      running: true,
      already_running: found !== undefined,
      pid: record?.pid ?? null,
      url,
      data_dir: settings.VENOM_DATA_DIR,
      log: context.files.logFile,
      starter,
    },
    starter.state === 'installed'
      ? `Open ${url} in your browser, or ask here: venom chat "What is the capital of France?"`
      : `Open ${url} in your browser.`,
  );
}

/** @throws AppError `port_taken`, and what keeps the server from starting */
export async function startInBackground(context: CommandContext): Promise<ServerRecord> {
  const { settings, files, env } = context;
  const other = await context.otherServer();
  if (other !== undefined)
    throw new AppError(
      'port_taken',
      `Another Venom holds port ${settings.PORT} (${describeOther(other)}). Start this one on a port of its own, such as \`PORT=${settings.PORT + 10} venom start\`, or stop the other: \`VENOM_DATA_DIR=${other.dataDir} venom stop\`.`,
    );
  await refuseTakenPort(settings);
  linkGpuBuild(join(CHECKOUT, 'node_modules'), settings.VENOM_DATA_DIR);
  return startServer(files, { cwd: CHECKOUT, env: withEnvProxy(env), build: readBuild() });
}

async function waitForStarter({ terminal }: CommandContext, client: ApiClient): Promise<Starter> {
  let starter = await getStarter(client);
  // The server decides after it is ready whether to fetch the starter model.
  for (let tries = 0; tries < 5 && starter.state === 'absent'; tries += 1) {
    await sleep(100);
    starter = await getStarter(client);
  }
  const onInterrupt = () => {
    terminal.note('\nVenom goes on in the background; `venom status` tells how far it is, `venom stop` ends it.');
    process.exit(130);
  };
  process.once('SIGINT', onInterrupt);
  starter = await followStarter(client, terminal, starter);
  process.removeListener('SIGINT', onInterrupt);
  return starter;
}

function readBuild(): string {
  try {
    return readFileSync(BUILD_STAMP, 'utf8').trim();
  } catch {
    return '';
  }
}

/** Node's own `fetch` follows proxy variables only when told to; this machine itself is never behind the proxy. */
export function withEnvProxy(env: Environment): Record<string, string | undefined> {
  const proxied = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'].some((name) => env[name]);
  if (!proxied) return { ...env };
  const noProxy = [env['NO_PROXY'] ?? env['no_proxy'], 'localhost', '127.0.0.1', '::1'].filter(Boolean).join(',');
  return { ...env, NODE_USE_ENV_PROXY: '1', NO_PROXY: noProxy, no_proxy: noProxy };
}
