// kill -9 in the middle of a download: the installation goes on by itself, and little is read twice.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { gguf } from '../stand-ins/gguf.js';
import { type FakeHub, startFakeHub } from '../stand-ins/hugging-face.js';
import { startProcess } from './venom-process.js';

const FILE = gguf({ dataBytes: 12_000_000 });
let hub: FakeHub;
let dataDir: string;

beforeEach(async () => {
  hub = await startFakeHub();
  hub.repositories['org/tiny'] = { files: { 'tiny.gguf': FILE } };
  dataDir = mkdtempSync(join(tmpdir(), 'venom-install-'));
});
afterEach(async () => {
  await hub.close();
  rmSync(dataDir, { recursive: true, force: true });
});

it('an installation survives kill -9 and reads at most a twentieth of the file again', async () => {
  const env = { VENOM_DATA_DIR: dataDir, HF_ENDPOINT: hub.url };
  hub.paceMs = 4;
  let venom = await startProcess(env);
  const answer = await fetch(`${venom.url}/api/v1/models/registry/install`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'org/tiny', provider: 'huggingface', runtime: 'llama-cpp' }),
  });
  const { operation_id } = (await answer.json()) as { operation_id: string };
  const operation = async () => {
    const response = await fetch(`${venom.url}/api/v1/models/operations/${operation_id}`);
    return ((await response.json()) as { operation: { status: string; received_bytes: number; attempt: number } })
      .operation;
  };
  await expect
    .poll(async () => (await operation()).received_bytes, { timeout: 20_000 })
    .toBeGreaterThan(FILE.length * 0.3);
  await venom.kill();
  hub.paceMs = 0;
  venom = await startProcess(env);
  await expect.poll(async () => (await operation()).status, { timeout: 20_000 }).toBe('completed');
  expect((await operation()).attempt).toBe(2);
  expect(readFileSync(join(dataDir, 'models', 'tiny.gguf')).equals(FILE)).toBe(true);
  // What was on its way when the process died was sent, but never arrived: buffers of sockets, beside the twentieth.
  expect(hub.sentBytes).toBeLessThanOrEqual(FILE.length * 1.05 + 4 * 1_048_576);
  await venom.stop();
}, 60_000);
