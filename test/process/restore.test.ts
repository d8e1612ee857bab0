// A backup made while writers chat, a kill, and the way back: what was acknowledged before the copy was asked for is there once, in order.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { startFakeUpstream, streams } from '../api/fake-upstream.js';
import { startProcess } from './venom-process.js';

const WRITERS = 4;
const VENOM = resolve(import.meta.dirname, '..', '..', 'bin', 'venom.js');

it('brings back what was there when it was made', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'venom-restore-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const upstream = await startFakeUpstream();
  onTestFinished(() => upstream.close());
  upstream.behaviour = streams(['An ', 'answer.'], 2);
  const env = { VENOM_DATA_DIR: folder, LLM_LOCAL_ENDPOINT: upstream.url };
  const first = await startProcess(env);
  onTestFinished(() => first.kill());
  const acknowledged = Array.from({ length: WRITERS }, (): string[] => []);
  let writing = true;
  const writers = acknowledged.map(async (own, writer) => {
    for (let n = 0; writing; n += 1) {
      const question = `Question ${n}`;
      const response = await fetch(`${first.url}/api/v1/llm/simple/stream`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ content: question, session_id: `writer-${writer}` }),
      });
      if ((await response.text()).includes('event: done')) own.push(question);
    }
  });
  const fewest = () => Math.min(...acknowledged.map(({ length }) => length));
  await expect.poll(fewest, { timeout: 20_000 }).toBeGreaterThan(5);
  const before = acknowledged.map((own) => [...own]);
  const made = await fetch(`${first.url}/api/v1/system/backups`, { method: 'POST' });
  const { name } = (await made.json()) as { name: string };
  const later = fewest();
  await expect.poll(fewest, { timeout: 20_000 }).toBeGreaterThan(later + 2);
  writing = false;
  // Looked at before the kill: it cuts their last questions off.
  const stopped = Promise.allSettled(writers);
  await first.kill();
  await stopped;

  const { stdout } = await promisify(execFile)(process.execPath, [VENOM, '--json', 'restore', name], {
    env: { ...process.env, ...env, ENV_FILE: '/dev/null' },
  });
  expect(JSON.parse(stdout)).toMatchObject({ replaced: expect.stringMatching(/^venom-replaced-/) });

  const second = await startProcess(env);
  onTestFinished(() => second.kill());
  for (const [writer, own] of before.entries()) {
    const { messages } = (await (
      await fetch(`${second.url}/api/v1/sessions/writer-${writer}/messages?limit=1000`)
    ).json()) as { messages: { role: string; content: string }[] };
    const questions = messages.filter(({ role }) => role === 'user').map(({ content }) => content);
    expect(questions.slice(0, own.length)).toEqual(own);
    expect(new Set(questions).size).toBe(questions.length);
    // The copy is of then, not of now.
    expect(questions.length).toBeLessThan((acknowledged[writer] ?? []).length);
  }
});
