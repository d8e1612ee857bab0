// Start, stop and refusals of the real process.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startFakeUpstream, streams } from '../api/fake-upstream.js';
import { readEvents } from '../api/server.js';
import { startProcess } from './venom-process.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-process-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('names every wrong setting at once and does not start', async () => {
  const failure = startProcess({ VENOM_DATA_DIR: folder, PORT: 'x', AI_MODE: 'MOON', LLM_LOCAL_ENDPOINT: 'ftp://a' });
  await expect(failure).rejects.toThrow(/code 1.*AI_MODE|code 1[\s\S]*PORT/);
  await expect(failure).rejects.toThrow(/LLM_LOCAL_ENDPOINT/);
});

it('refuses a second instance on the same data and a taken port, in one line', async () => {
  const first = await startProcess({ VENOM_DATA_DIR: folder });
  await expect(startProcess({ VENOM_DATA_DIR: folder })).rejects.toThrow(/Another Venom is using/);
  const other = mkdtempSync(join(tmpdir(), 'venom-process-'));
  await expect(startProcess({ VENOM_DATA_DIR: other, PORT: new URL(first.url).port })).rejects.toThrow(
    /Port \d+ on 127\.0\.0\.1 is taken/,
  );
  rmSync(other, { recursive: true, force: true });
  expect((await first.stop()).code).toBe(0);
}, 40_000);

it('leaves its address in the data folder while it runs, so that commands find it on any port', async () => {
  const venom = await startProcess({ VENOM_DATA_DIR: folder });
  const status = async () =>
    promisify(execFile)(process.execPath, [resolve(import.meta.dirname, '..', '..', 'bin', 'venom.js'), 'status'], {
      env: { PATH: process.env['PATH'], VENOM_DATA_DIR: folder, ENV_FILE: '/dev/null' },
    });
  expect((await status()).stdout).toContain(`is running at ${venom.url}`);
  await venom.stop();
  await expect(status()).rejects.toMatchObject({ code: 3 });
}, 40_000);

it('stops cleanly in the middle of an answer, which ends with an event and is kept', async () => {
  const upstream = await startFakeUpstream();
  upstream.behaviour = streams(
    Array.from({ length: 10_000 }, () => 'x '),
    10,
  );
  const venom = await startProcess({ VENOM_DATA_DIR: folder, LLM_LOCAL_ENDPOINT: upstream.url });
  const response = await fetch(`${venom.url}/api/v1/llm/simple/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ content: 'Long', session_id: 's-1' }),
  });
  const events = readEvents(response);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const { code, ms } = await venom.stop();
  expect(code).toBe(0);
  expect(ms).toBeLessThan(12_000);
  expect((await events).at(-1)).toMatchObject({ event: 'error', data: { code: 'interrupted' } });
  const again = await startProcess({ VENOM_DATA_DIR: folder });
  const { messages } = (await (await fetch(`${again.url}/api/v1/sessions/s-1/messages`)).json()) as {
    messages: { status: string; content: string }[];
  };
  expect(messages.at(-1)?.status).toBe('interrupted');
  expect(messages.at(-1)?.content).toMatch(/^x x x/);
  await again.stop();
  await upstream.close();
}, 40_000);
