import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findServer, type ServerFiles, startServer, stopServer } from './server-process.js';

const LISTENING = `console.log(JSON.stringify({ event: 'listening', url: 'http://127.0.0.1:8123' }));`;
const FOREVER = 'setInterval(() => {}, 1000);';

let folder: string;
let files: ServerFiles;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-cli-'));
  files = {
    entry: join(folder, 'main.js'),
    pidFile: join(folder, 'venom.pid'),
    logFile: join(folder, 'logs', 'venom.log'),
  };
});

afterEach(async () => {
  const left = await findServer(files);
  if (left !== undefined) await stopServer(files, left, 0);
  rmSync(folder, { recursive: true, force: true });
});

/** Starts a server that is nothing but this code. */
function start(code: string) {
  writeFileSync(files.entry, code);
  return startServer(files, { cwd: folder, env: process.env, build: 'b1' });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('startServer', () => {
  it('returns when the server listens and records it for the next command', async () => {
    const record = await start(LISTENING + FOREVER);
    expect(record).toMatchObject({ url: 'http://127.0.0.1:8123', port: 8123, build: 'b1' });
    expect(await findServer(files)).toEqual(record);
  });

  it("fails with the server's own words when it ends", async () => {
    const failing = start(`console.error('venom: Port 8123 is taken by nginx'); process.exit(1);`);
    await expect(failing).rejects.toThrow('Port 8123 is taken by nginx');
    expect(existsSync(files.pidFile)).toBe(false);
  });

  it('does not take the log of a former run for this one', async () => {
    const first = await start(LISTENING + FOREVER);
    await stopServer(files, first, 5_000);
    await expect(start('process.exit(1)')).rejects.toThrow('ended while starting');
  });
});

describe('findServer', () => {
  it('forgets a process that is gone', async () => {
    const record = await start(LISTENING + FOREVER);
    process.kill(record.pid, 'SIGKILL');
    while (isAlive(record.pid)) await sleep(10);
    expect(await findServer(files)).toBeUndefined();
    expect(existsSync(files.pidFile)).toBe(false);
  });

  it('does not take a stranger with the same number for the server', async () => {
    const stranger = { pid: 1, url: 'http://127.0.0.1:8123' };
    writeFileSync(files.pidFile, JSON.stringify({ ...stranger, pid: process.ppid }));
    expect(await findServer(files)).toBeUndefined();
  });

  it('survives a damaged file', async () => {
    writeFileSync(files.pidFile, '{"pid":');
    expect(await findServer(files)).toBeUndefined();
  });
});

describe('stopServer', () => {
  it('lets the server end by itself', async () => {
    const onTerm = `process.on('SIGTERM', () => { console.log('bye'); process.exit(0); });`;
    const record = await start(onTerm + LISTENING + FOREVER);
    expect(await stopServer(files, record, 5_000)).toBe('graceful');
    expect(readFileSync(files.logFile, 'utf8')).toContain('bye');
    expect(existsSync(files.pidFile)).toBe(false);
  });

  it('kills a server that does not listen, and its children', async () => {
    const record = await start(`
      const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
      require('node:fs').writeFileSync('child.pid', String(child.pid));
      process.on('SIGTERM', () => {});
      ${LISTENING}${FOREVER}`);
    const child = Number(readFileSync(join(folder, 'child.pid'), 'utf8'));
    expect(isAlive(child)).toBe(true);
    expect(await stopServer(files, record, 200)).toBe('killed');
    for (let tries = 0; tries < 100 && isAlive(child); tries += 1) await sleep(20);
    expect([isAlive(record.pid), isAlive(child)]).toEqual([false, false]);
  });
});
