// With real processes: a small HTTP server stands for a model server.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installSystemctl } from '../../test/stand-ins/systemctl.js';
import { alive, startTicks } from '../shared/process-tree.js';
import {
  LlmServerController,
  type LlmServerControllerOptions,
  type LlmServerDefinition,
} from './llm-server-controller.js';
import { toArgumentVector } from './servers/argument-vector.js';

let folder: string;
let port: number;
const controllers: LlmServerController[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'venom-servers-'));
  const free = createServer();
  await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
  port = (free.address() as AddressInfo).port;
  await new Promise((resolve) => free.close(resolve));
});
afterEach(async () => {
  for (const controller of controllers.splice(0)) await controller.close();
  rmSync(folder, { recursive: true, force: true });
});

// Ignores a polite end, and has a child of its own, as runners of model servers do.
const SCRIPT = `
require('node:http').createServer((_, r) => r.end(process.env.SECRET ?? 'none')).listen(Number(process.argv[2]), '127.0.0.1');
console.log('serving');
process.on('SIGTERM', () => { if (process.argv[3] !== 'stubborn') process.exit(0); });
`;

function create(
  definition: Partial<LlmServerDefinition> = {},
  stubborn = false,
  options: Partial<LlmServerControllerOptions> = {},
): LlmServerController {
  const script = join(folder, 'server.cjs');
  writeFileSync(script, SCRIPT);
  const controller = new LlmServerController({
    stateDir: join(folder, 'state'),
    environment: { PATH: process.env['PATH'], SECRET: 'key' },
    now: Date.now,
    commandTimeoutMs: 2_000,
    definitions: [
      {
        name: 's',
        displayName: 'S',
        description: '',
        provider: 's',
        endpoint: null,
        healthUrl: `http://127.0.0.1:${port}/`,
        environment: {},
        program: null,
        commands: {
          start: [process.execPath, script, String(port), ...(stubborn ? ['stubborn'] : [])],
          stop: null,
          restart: null,
        },
        ...definition,
      },
    ],
    ...options,
  });
  controllers.push(controller);
  return controller;
}

/** A zombie waits for its parent and does nothing more. */
const runs = (pid: number) => alive({ pid, startTicks: null }) && startTicks(pid) !== 'gone';

describe('LlmServerController', () => {
  it('starts, sees, remembers across a restart of ours, and stops', async () => {
    const controller = create();
    expect(await controller.run('s', 'start')).toMatchObject({ ok: true });
    expect(await controller.waitFor('s', 'up', 5_000)).toBe(true);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('none');
    expect(await controller.logs('s')).toContain('serving');
    expect(await controller.run('s', 'start')).toMatchObject({ ok: true, message: 's is running already.' });
    const later = create();
    expect(later.owns('s')).toBe(true);
    expect(await later.run('s', 'stop')).toMatchObject({ ok: true });
    expect(await controller.check('s')).toMatchObject({ status: 'offline' });
    expect(controller.owns('s')).toBe(false);
    expect(controller.history('s').map(({ status }) => status)).toContain('online');
  });

  it('kills what does not end', async () => {
    const controller = create({}, true);
    await controller.run('s', 'start');
    await controller.waitFor('s', 'up', 5_000);
    expect(await controller.run('s', 'stop')).toMatchObject({ ok: true });
    expect(await controller.waitFor('s', 'down', 2_000)).toBe(true);
  }, 15_000);

  it('ends what the server started, also what left its group or lost its parent', async () => {
    const script = join(folder, 'parent.cjs');
    writeFileSync(
      script,
      `
const { spawn } = require('node:child_process');
const { writeFileSync } = require('node:fs');
require('node:http').createServer((_, r) => r.end()).listen(Number(process.argv[2]), '127.0.0.1');
const sleeper = ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1e3)'];
const child = spawn(process.execPath, sleeper, { detached: true, stdio: 'ignore' });
const orphan = spawn('sh', ['-c', process.execPath + ' -e "setInterval(() => {}, 1e3)" >/dev/null 2>&1 & echo $!'], { detached: true });
orphan.stdout.on('data', (text) => writeFileSync(process.argv[3], JSON.stringify([child.pid, Number(text)])));
`,
    );
    const pids = join(folder, 'pids');
    const controller = create({
      program: [process.execPath, script, String(port), pids],
      commands: { start: null, stop: null, restart: null },
    });
    await controller.run('s', 'start');
    await controller.waitFor('s', 'up', 5_000);
    await expect.poll(() => existsSync(pids)).toBe(true);
    const started = JSON.parse(readFileSync(pids, 'utf8')) as number[];
    const living = () => started.filter(runs);
    expect(living()).toEqual(started);
    expect(await controller.run('s', 'stop')).toMatchObject({ ok: true });
    await expect.poll(living).toEqual([]);
  }, 15_000);

  it('clears away what a server of ours left when it died', async () => {
    const script = join(folder, 'parent.cjs');
    writeFileSync(
      script,
      `
const { spawn } = require('node:child_process');
const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e3)'], { detached: true, stdio: 'ignore' });
require('node:fs').writeFileSync(process.argv[2], String(child.pid));
setTimeout(() => process.kill(process.pid, 'SIGKILL'), 900);
`,
    );
    const file = join(folder, 'pid');
    const controller = create({
      program: [process.execPath, script, file],
      commands: { start: null, stop: null, restart: null },
    });
    await controller.run('s', 'start');
    await expect.poll(() => controller.owns('s'), { timeout: 5_000 }).toBe(false);
    const pid = Number(readFileSync(file, 'utf8'));
    expect(runs(pid)).toBe(true);
    expect(await controller.run('s', 'stop')).toMatchObject({ ok: true });
    await expect.poll(() => runs(pid)).toBe(false);
  }, 15_000);

  it('adopts a server that runs already, and stops it only by the command it was given', async () => {
    const other: Server = createServer((_, response) => response.end());
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    const marker = join(folder, 'asked');
    const controller = create({
      commands: {
        start: null,
        stop: [process.execPath, '-e', `require('node:fs').writeFileSync(${JSON.stringify(marker)}, '')`],
        restart: null,
      },
      program: [process.execPath, '-e', ''],
    });
    expect(await controller.run('s', 'start')).toMatchObject({ ok: true, message: 's is running already.' });
    expect(controller.ownership('s')).toBe('adopted');
    await controller.close();
    expect(existsSync(marker)).toBe(false);
    expect(await controller.run('s', 'stop')).toMatchObject({ ok: true });
    expect(existsSync(marker)).toBe(true);
    other.closeAllConnections();
    await new Promise((resolve) => other.close(resolve));
  });

  it('never stops a server that somebody else started', async () => {
    const other: Server = createServer((_, response) => response.end());
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    const controller = create();
    expect(await controller.run('s', 'start')).toMatchObject({ ok: true, message: 's is running already.' });
    expect(await controller.run('s', 'stop')).toMatchObject({ ok: false });
    await controller.close();
    expect(await controller.check('s')).toMatchObject({ status: 'online' });
    other.closeAllConnections();
    await new Promise((resolve) => other.close(resolve));
  });

  it('says why a server did not start, and gives a command a limit', async () => {
    const broken = create({
      commands: {
        start: [process.execPath, '-e', 'console.error("no GPU"); process.exit(3)'],
        stop: null,
        restart: null,
      },
    });
    expect(await broken.run('s', 'start')).toMatchObject({
      ok: false,
      exitCode: 3,
      message: expect.stringContaining('no GPU'),
    });
    const missing = create({ commands: { start: ['/nowhere/at/all'], stop: null, restart: null } });
    expect(await missing.run('s', 'start')).toMatchObject({ ok: false });
    const slow = create({
      commands: { start: null, stop: [process.execPath, '-e', 'setInterval(()=>{},1e3)'], restart: null },
    });
    expect(await slow.run('s', 'stop')).toMatchObject({ ok: false, message: expect.stringContaining('within 2 s') });
    await expect(slow.run('s', 'start')).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(slow.run('x', 'start')).rejects.toMatchObject({ code: 'not_found' });
  }, 15_000);
});

describe('a server that systemd looks after', () => {
  const command = () => [process.execPath, join(folder, 'server.cjs'), String(port)];
  const controlled = (unit = 's.service') => {
    const systemctl = installSystemctl(folder, 's.service', command());
    const controller = create(
      {
        commands: { start: null, stop: null, restart: null },
        program: command(),
        systemd: { unit, scope: 'user' },
      },
      false,
      { systemctl: systemctl.path },
    );
    return { systemctl, controller };
  };

  it('is started, seen, restarted and stopped through systemctl, and is not ours to end', async () => {
    const { systemctl, controller } = controlled();
    expect(await controller.run('s', 'start')).toMatchObject({ ok: true, action: 'start' });
    expect(await controller.waitFor('s', 'up', 5_000)).toBe(true);
    await expect
      .poll(async () => (await controller.check('s')) && controller.systemd('s')?.state, { timeout: 8_000 })
      .toBe('active');
    expect(controller.owns('s')).toBe(false);
    expect(controller.ownership('s')).toBe('systemd');
    const first = controller.pid('s');
    expect(first).toBeGreaterThan(1);
    await controller.close();
    expect((await controller.check('s')).status).toBe('online');
    expect(await controller.run('s', 'restart')).toMatchObject({ ok: true });
    expect(await controller.waitFor('s', 'up', 5_000)).toBe(true);
    expect(await controller.run('s', 'stop')).toMatchObject({ ok: true });
    expect(await controller.waitFor('s', 'down', 5_000)).toBe(true);
    const acted = systemctl.calls().filter((call) => !call.includes(' show '));
    expect(acted).toEqual(
      ['start', 'restart', 'stop'].map((verb) => `--user --no-pager --no-ask-password ${verb} -- s.service`),
    );
  }, 20_000);

  it('is a process of ours where systemd does not know the unit', async () => {
    const { systemctl, controller } = controlled('other.service');
    expect(await controller.run('s', 'start')).toMatchObject({ ok: true });
    expect(await controller.waitFor('s', 'up', 5_000)).toBe(true);
    expect(controller.ownership('s')).toBe('ours');
    expect(controller.systemd('s')).toBeNull();
    expect(systemctl.calls().every((call) => call.includes(' show '))).toBe(true);
    expect(await controller.run('s', 'stop')).toMatchObject({ ok: true });
  }, 15_000);

  it('has a name that cannot be an option', () => {
    for (const unit of ['--force', 'a b.service', '../x', ''])
      expect(() => controlled(unit)).toThrowError(expect.objectContaining({ code: 'invalid_settings' }));
  });
});

describe('toArgumentVector', () => {
  it('groups by quotes and expands nothing', () => {
    expect(toArgumentVector(`ollama serve --dir "a b" '$(rm -rf /)' ; ls`)).toEqual([
      'ollama',
      'serve',
      '--dir',
      'a b',
      '$(rm -rf /)',
      ';',
      'ls',
    ]);
    expect(toArgumentVector('  ')).toBeNull();
    expect(() => toArgumentVector('a "b')).toThrowError(expect.objectContaining({ code: 'invalid_settings' }));
  });
});
