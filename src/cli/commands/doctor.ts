// venom doctor: looks at everything Venom needs and says how to mend what is wrong.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../../config/config.js';
import { toAppError } from '../../shared/errors.js';
import { CommandContext } from '../command-context.js';
import type { Finding } from '../doctor/finding.js';
import { checkDisk, checkMemory, checkNode, checkTools } from '../doctor/machine-checks.js';
import { checkCertificates, checkPort, checkProxy } from '../doctor/network-checks.js';
import { checkEmbeddedRuntime, checkGpu, checkModelServers, checkStarterModel } from '../doctor/runtime-checks.js';
import { CHECKOUT } from '../installation.js';
import type { Terminal } from '../terminal.js';

const MARKS = { ok: 'ok  ', info: 'info', warn: 'WARN', fail: 'FAIL' } as const;

/** Makes its context itself: wrong settings are a finding, not the end. */
export async function doctor(env: Environment, terminal: Terminal): Promise<void> {
  const findings = await examine(env, terminal);
  const ok = !findings.some(({ status }) => status === 'fail');
  if (!ok) process.exitCode = 1;
  terminal.result({ ok, findings }, findings.map(toText).join('\n'));
}

async function examine(env: Environment, terminal: Terminal): Promise<Finding[]> {
  const packagesDir = join(CHECKOUT, 'node_modules');
  const general = [
    checkNode(process.version),
    checkMemory(),
    ...checkTools(env),
    checkProxy(env),
    checkCertificates(env),
  ];
  let context: CommandContext;
  try {
    context = new CommandContext(env, terminal);
  } catch (thrown) {
    const mend = 'correct these names in the environment or in .env; docs/settings.md explains each';
    return [...general, { name: 'Settings', status: 'fail', detail: toAppError(thrown).message, mend }];
  }
  const { settings } = context;
  const running = await context.ownServer();
  return [
    ...general,
    { name: 'Settings', status: 'ok', detail: `read; data folder ${settings.VENOM_DATA_DIR}` },
    await checkDisk(settings.VENOM_DATA_DIR),
    await checkPort(settings, running?.url),
    checkUi(),
    checkEmbeddedRuntime(packagesDir),
    await checkGpu(packagesDir),
    ...(await checkModelServers(settings)),
    checkStarterModel(settings),
  ];
}

function checkUi(): Finding {
  if (existsSync(join(CHECKOUT, 'dist', 'web', 'index.html'))) return { name: 'UI', status: 'ok', detail: 'built' };
  return { name: 'UI', status: 'warn', detail: 'not built; only the API answers', mend: 'run `make build`' };
}

function toText({ name, status, detail, mend }: Finding): string {
  const line = `${MARKS[status]}  ${name}: ${detail}`;
  return mend === undefined ? line : `${line}\n      → ${mend}`;
}
