// `make dev`: server and UI in the foreground; the server restarts on changes, the UI reloads in the browser.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { watch } from 'rolldown';
import { serverBundle, serverOutput } from './build.mjs';
import { install } from './install.mjs';
import { ROOT } from './run.mjs';

const STOP_WITHIN_MS = 12_000;
const OUT = join('dist', 'dev', 'server');

await install('', 'full');
const hasWeb = existsSync(join(ROOT, 'web', 'package.json'));
if (hasWeb) await install('web', 'full');

let server;
let restarting = Promise.resolve();
let ending = false;

const watcher = watch({
  ...serverBundle(),
  output: { ...serverOutput(join(ROOT, OUT)), minify: false, sourcemap: true },
});
watcher.on('event', (event) => {
  if (event.code === 'ERROR') console.error(event.error.message);
  if (event.code !== 'END' || ending) return;
  restarting = restarting.then(stopServer).then(startServer);
});
const ui = hasWeb
  ? spawn(process.execPath, [join('node_modules', 'vite', 'bin', 'vite.js')], {
      cwd: join(ROOT, 'web'),
      stdio: 'inherit',
    })
  : undefined;

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, end);

function startServer() {
  if (ending) return;
  server = spawn(process.execPath, ['--enable-source-maps', join(ROOT, OUT, 'main.js')], {
    cwd: ROOT,
    stdio: 'inherit',
  });
}

/** The port and the store are free again only when the old process is gone. */
async function stopServer() {
  if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
  const gone = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGTERM');
  await Promise.race([gone, sleep(STOP_WITHIN_MS).then(() => server.kill('SIGKILL'))]);
  await gone;
}

async function end() {
  if (ending) return;
  ending = true;
  ui?.kill('SIGTERM');
  await watcher.close();
  await restarting;
  await stopServer();
  process.exit(0);
}
