// With real processes: a small HTTP server stands for a model server.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LlmServerController, type LlmServerDefinition } from './llm-server-controller.js';
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

function create(definition: Partial<LlmServerDefinition> = {}, stubborn = false): LlmServerController {
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
  });
  controllers.push(controller);
  return controller;
}

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
