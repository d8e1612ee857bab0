// A disk that fills up in the middle of a download, through the whole server, on a small file system of its own.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { gguf } from '../stand-ins/gguf.js';
import { startFakeHub } from '../stand-ins/hugging-face.js';
import { startServer } from './server.js';

const canMount = process.platform === 'linux' && process.getuid?.() === 0 && mountsWork();

function mountsWork(): boolean {
  const place = mkdtempSync(join(tmpdir(), 'venom-mount-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', place]).status === 0;
  if (mounted) execFileSync('umount', [place]);
  else console.log('no download fills a disk: mount is not allowed here');
  rmSync(place, { recursive: true, force: true });
  return mounted;
}

describe.skipIf(!canMount)('a disk that fills up in the middle of a download', () => {
  it('ends it in one named state without a file, and it goes on where it was when there is room', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'venom-full-'));
    const disk = join(dataDir, 'models');
    mkdirSync(disk);
    // Beside the room that is always left over.
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=300m', 'tmpfs', disk]);
    const ballast = join(disk, '.ballast');
    const file = gguf({ dataBytes: 4_000_000 });
    const hub = await startFakeHub();
    hub.repositories['org/tiny'] = { files: { 'tiny-Q4_K_M.gguf': file } };
    hub.paceMs = 30;
    const server = await startServer({ HF_ENDPOINT: hub.url, LLM_WARMUP_ON_STARTUP: 'false' }, dataDir);
    try {
      const call = async (path: string, body?: object) => {
        const response = await fetch(`${server.url}/api/v1${path}`, {
          method: body ? 'POST' : 'GET',
          ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
        });
        return { status: response.status, body: (await response.json()) as Record<string, unknown> };
      };
      const started = await call('/models/registry/install', {
        name: 'org/tiny',
        provider: 'huggingface',
        runtime: 'llama-cpp',
      });
      const id = String(started.body['operation_id']);
      const operation = async () =>
        (await call(`/models/operations/${id}`)).body['operation'] as {
          status: string;
          error: string;
          error_code: string | null;
          received_bytes: number;
        };
      await expect.poll(async () => (await operation()).received_bytes, { timeout: 10_000 }).toBeGreaterThan(1_000_000);
      const { bavail, bsize } = statfsSync(disk);
      execFileSync('fallocate', ['-l', String(bavail * bsize), ballast]);
      await expect.poll(async () => (await operation()).status, { timeout: 20_000 }).toBe('failed');
      expect(await operation()).toMatchObject({
        error_code: 'insufficient_storage',
        error: expect.stringMatching(/full/),
      });
      const finals = () => readdirSync(disk).filter((name) => !name.startsWith('.'));
      expect(finals()).toEqual([]);
      // It does not sit on the last byte of a disk that others write to as well.
      expect(statfsSync(disk).bavail).toBeGreaterThan(0);
      // Tried again too early it is refused before anything is asked for.
      const asked = hub.requests.length;
      await call(`/models/operations/${id}/retry`, {});
      await expect.poll(async () => (await operation()).status).toBe('failed');
      expect(await operation()).toMatchObject({ error_code: 'insufficient_storage' });
      expect(hub.requests.slice(asked).filter(({ path }) => path.includes('/resolve/'))).toEqual([]);

      rmSync(ballast);
      hub.paceMs = 0;
      await call(`/models/operations/${id}/retry`, {});
      await expect.poll(async () => (await operation()).status, { timeout: 20_000 }).toBe('completed');
      const from = Number(/^bytes=(\d+)-/.exec(hub.requests.at(-1)?.range ?? '')?.[1]);
      expect(from).toBeGreaterThan(700_000);
      expect(finals()).toEqual(['tiny-Q4_K_M.gguf']);
      const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
      expect(hash(readFileSync(join(disk, 'tiny-Q4_K_M.gguf')))).toBe(hash(file));
    } finally {
      await server.close({ keepData: true });
      await hub.close();
      execFileSync('umount', ['-l', disk]);
      rmSync(dataDir, { recursive: true, force: true });
    }
  }, 60_000);
});
