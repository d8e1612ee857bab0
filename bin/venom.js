#!/usr/bin/env node
// The `venom` command. Plain JavaScript that even an old Node can read: it finds a new enough one, then runs the CLI.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = 24;
const cli = new URL('../dist/server/cli.js', import.meta.url);
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
  // A second old Node after with-node.sh would be a loop without end.
  if (process.platform === 'win32' || process.env.VENOM_LAUNCHED === '1') {
    fail(`Node ${OLDEST_NODE} or newer is needed, this is ${process.version}; install it from https://nodejs.org`);
  }
  handOver('sh', [path('../scripts/with-node.sh'), 'node', path('venom.js')].concat(process.argv.slice(2)));
} else {
  if (!existsSync(cli)) {
    const prepared = spawnSync(process.execPath, [path('../scripts/prepare.mjs')], { stdio: ['ignore', 2, 2] });
    if (prepared.status !== 0) fail('the first build failed; run `make start` in the checkout to see why');
  }
  await import(cli.href);
}

function handOver(program, args) {
  // The terminal sends Ctrl-C to both; the child decides what it means.
  process.on('SIGINT', () => {});
  const result = spawnSync(program, args, { stdio: 'inherit', env: { ...process.env, VENOM_LAUNCHED: '1' } });
  process.exit(result.status === null ? 1 : result.status);
}

function fail(message) {
  console.error(`venom: ${message}`);
  process.exit(1);
}
