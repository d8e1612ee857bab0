import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { startTicks } from '../../shared/process-tree.js';
import { Isolation } from './isolation.js';

const root = mkdtempSync(join(tmpdir(), 'venom-isolation-'));
const isolation = await Isolation.detect(process.env['PATH']);
for (const name of ['own', 'shown', 'hidden']) mkdirSync(join(root, name));
writeFileSync(join(root, 'shown/a.txt'), 'shown');
writeFileSync(join(root, 'hidden/b.txt'), 'hidden');
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('plain', () => {
  it('is bound to the life of whoever starts it, and gains no rights', async (context) => {
    const [program = '', ...args] = isolation.wrap('plain', {
      command: '/bin/sh',
      args: ['-c', 'grep NoNewPrivs /proc/self/status; exec sleep 60'],
      cwd: root,
      network: false,
      readable: [],
      writable: [],
    });
    context.skip(!program.endsWith('setpriv'), 'no setpriv here');
    // Between us and it stands one that only starts it, and is killed.
    const host = spawn(
      process.execPath,
      [
        '-e',
        `const [program, ...args] = JSON.parse(process.argv[1]);
         const child = require('node:child_process').spawn(program, args, { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
         child.stdout.once('data', (said) => console.log(JSON.stringify({ pid: child.pid, said: String(said) })));`,
        JSON.stringify([program, ...args]),
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    const [line] = (await once(host.stdout, 'data')) as [Buffer];
    const { pid, said } = JSON.parse(line.toString()) as { pid: number; said: string };
    expect(said).toContain('1');
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    host.kill('SIGKILL');
    await expect.poll(() => startTicks(pid) ?? 'gone', { timeout: 2_000, interval: 10 }).toBe('gone');
  });
});

describe.each(['sandboxed', 'namespaced'] as const)('%s', (tier) => {
  const run = async (script: string, network = false) => {
    const [program = '', ...args] = isolation.wrap(tier, {
      command: '/bin/sh',
      args: ['-c', script],
      cwd: join(root, 'own'),
      network,
      readable: [join(root, 'shown')],
      writable: [join(root, 'own')],
    });
    return promisify(execFile)(program, args, { env: { PATH: '/usr/bin:/bin' } }).then(
      ({ stdout }) => stdout.trim(),
      (error: { stdout: string; stderr: string }) => `failed: ${error.stdout}${error.stderr}`.trim(),
    );
  };

  it('shows the system and what was named, and nothing else of this machine', async (context) => {
    context.skip(!isolation.tiers.includes(tier), 'not allowed here');
    expect(await run(`pwd; cat ${join(root, 'shown/a.txt')}`)).toBe(`${join(root, 'own')}\nshown`);
    expect(await run(`ls ${root} /tmp`)).toBe(`/tmp:\n${root.split('/').at(2)}\n\n${root}:\nown\nshown`);
    for (const path of [
      join(root, 'hidden/b.txt'),
      process.env['HOME'] ?? '/root',
      '/home',
      '/var',
      '/etc/passwd',
      '/sys',
      '/run',
    ])
      expect(await run(`ls ${path}`), path).toMatch(/^failed: .*(No such file|cannot access)/);
  });

  it('lets nothing be changed but what was named', async (context) => {
    context.skip(!isolation.tiers.includes(tier), 'not allowed here');
    const temporary = `/tmp/venom-${randomUUID()}`;
    expect(await run(`echo mine > own.txt && echo for now > ${temporary} && cat ${temporary}`)).toBe('for now');
    expect(readFileSync(join(root, 'own/own.txt'), 'utf8')).toBe('mine\n');
    expect(existsSync(temporary)).toBe(false);
    for (const path of ['/usr/venom', '/etc/ssl/venom', '/venom', join(root, 'shown/c.txt')])
      expect(await run(`echo x > ${path}`), path).toMatch(/^failed: /);
  });

  it('leaves no privilege to change the view', async (context) => {
    context.skip(!isolation.tiers.includes(tier), 'not allowed here');
    expect(await run('mount -o remount,bind,rw /usr')).toMatch(/^failed: /);
    expect(await run('mount -t tmpfs none /opt')).toMatch(/^failed: /);
    expect(await run('umount -l /tmp')).toMatch(/^failed: /);
    expect(await run('grep -E "^Cap(Prm|Eff|Bnd)" /proc/self/status | cut -f2 | sort -u')).toBe('0000000000000000');
    expect(await run('grep NoNewPrivs /proc/self/status | cut -f2')).toBe('1');
    expect(Number(await run('ls /proc | grep -c "^[0-9]"')), 'processes it sees').toBeLessThan(10);
  });

  it('has a network only where it was granted', async (context) => {
    context.skip(!isolation.tiers.includes(tier), 'not allowed here');
    const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const asked = (network: boolean) => {
      const [program = '', ...args] = isolation.wrap(tier, {
        command: process.execPath,
        args: [
          '-e',
          `require('net').connect(${port}, '127.0.0.1').on('connect', () => process.exit(0)).on('error', () => process.exit(7))`,
        ],
        cwd: join(root, 'own'),
        network,
        readable: [],
        writable: [join(root, 'own')],
      });
      return promisify(execFile)(program, args, { env: { PATH: '/usr/bin:/bin' } }).then(
        () => 0,
        (error: { code: number }) => error.code,
      );
    };
    expect(await asked(false)).toBe(7);
    expect(await asked(true)).toBe(0);
    server.close();
  });
});
