// Random kills while the house itself is changed: policy, permissions, keys and secrets, skills of one's own, files that
// become knowledge, backups, sessions that are deleted and exported. What a client was told is what the next start shows, and
// nothing half done is left. `VENOM_KILL_ROUNDS` sets how often.
import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it, onTestFinished } from 'vitest';
import { startFakeUpstream } from '../api/fake-upstream.js';
import { startProcess } from './venom-process.js';

const ROUNDS = Number(process.env['VENOM_KILL_ROUNDS'] ?? 4);
const SKILL = 'kept';
const TOOL_FILE = 'NOTES.md';
const PARAGRAPH = 'The harbour lies in the north, and the ships that come there carry salt and timber. ';

// biome-ignore lint/suspicious/noExplicitAny: answers are compared with what is expected, field by field
type Json = any;

class Refused extends Error {}

async function call(url: string, method: string, path: string, body?: object | string): Promise<Json> {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    ...(body === undefined
      ? {}
      : typeof body === 'string'
        ? { headers: { 'content-type': 'text/plain' }, body }
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const answer = await response.text();
  if (!response.ok) throw new Refused(`${method} ${path}: ${response.status} ${answer}`);
  return answer === '' ? null : JSON.parse(answer);
}

/** One value that is written again and again: it is the last one acknowledged, or one that was under way at a kill. */
interface Register {
  write(url: string, value: string): Promise<unknown>;
  read(url: string): Promise<string | null>;
}

const PERMISSIONS = ['always', 'ask', 'never'] as const;
const skillText = async (url: string): Promise<string | null> =>
  (await call(url, 'GET', `/skills/custom/${SKILL}`)).files.find(({ path }: Json) => path === TOOL_FILE)?.text ?? null;

const registers: Record<string, Register> = {
  'the routing policy': {
    write: (url, value) =>
      call(url, 'PUT', '/routing/policy', {
        policy: { kind: 'single', target: { where: 'local', model: `model-${value}` } },
      }),
    read: async (url) =>
      (await call(url, 'GET', '/routing/policy')).policy?.target?.model?.slice('model-'.length) ?? null,
  },
  'the permission of a tool': {
    write: async (url, value) => {
      const [tool] = (await call(url, 'GET', '/skills')).tools;
      await call(url, 'PUT', `/skills/${tool.name}/permission`, { permission: value });
    },
    read: async (url) => (await call(url, 'GET', '/skills')).tools[0].permission,
  },
  'a file of a skill': {
    write: async (url, value) =>
      call(url, 'PUT', `/skills/custom/${SKILL}/files`, { path: TOOL_FILE, text: value, before: await skillText(url) }),
    read: skillText,
  },
};

it(`keeps what was acknowledged and leaves nothing half done in ${ROUNDS} kills`, {
  timeout: 60_000 + ROUNDS * 15_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'venom-house-kill-'));
  const upstream = await startFakeUpstream();
  const env = { VENOM_DATA_DIR: folder, LLM_LOCAL_ENDPOINT: upstream.url };
  /** What each register may hold: from the last acknowledged value on. */
  const possible = new Map<string, unknown[]>();
  const secrets = new Set<string>();
  /** By id: how many pieces it was said to have. */
  const files = new Map<string, number>();
  const backups = new Set<string>();
  const deleted = new Set<string>();
  const exported = new Map<string, number>();
  let count = 0;

  for (let round = 0; round <= ROUNDS; round += 1) {
    const { url, kill } = await startProcess(env);
    onTestFinished(kill);
    if (round === 0) {
      await call(url, 'POST', '/skills/custom', { name: SKILL });
      for (const [name, register] of Object.entries(registers)) possible.set(name, [await register.read(url)]);
    }
    for (const [name, values] of possible) {
      const found = await registers[name]?.read(url);
      expect(values, name).toContain(found);
      possible.set(name, [found]);
    }
    const { names } = await call(url, 'GET', '/mcp/secrets');
    for (const name of secrets) expect(names).toContain(name);
    const known = new Map<string, Json>(
      (await call(url, 'GET', '/knowledge/files?limit=200')).files.map((file: Json) => [file.file_id, file]),
    );
    for (const [id, pieces] of files) expect(known.get(id)?.chunks, id).toBe(pieces);
    for (const [id, file] of known)
      expect((await call(url, 'GET', `/knowledge/files/${id}?limit=200`)).file.chunks, id).toBe(file.chunks);
    const copies: string[] = (await call(url, 'GET', '/system/backups')).backups.map(({ name }: Json) => name);
    for (const name of backups) expect(copies).toContain(name);
    for (const session of deleted) await expect(call(url, 'GET', `/sessions/${session}`)).rejects.toThrow('404');
    for (const [session, messages] of exported)
      expect((await call(url, 'GET', `/sessions/${session}/export?format=json`)).messages).toHaveLength(messages);
    expect(unfinished(folder)).toEqual([]);
    expect(readableByOthers(folder)).toEqual([]);
    if (round === ROUNDS) {
      await kill();
      break;
    }

    const steps = [
      async () => {
        if (secrets.size > 300) return pause();
        const name = `SECRET_${count}`;
        await call(url, 'PUT', `/mcp/secrets/${name}`, { value: `value-${count}` });
        secrets.add(name);
      },
      async () => {
        if (files.size > 100) return pause();
        const text = `${PARAGRAPH.repeat(300)}Number ${count}.`;
        const { file } = await call(url, 'POST', `/knowledge/files?name=part-${count}.txt&scope=global`, text);
        files.set(file.file_id, file.chunks);
      },
      async () => {
        if (backups.size > 15) return pause();
        const { name } = await call(url, 'POST', '/system/backups');
        backups.add(name);
      },
      async () => {
        const session = `deleted-${count}`;
        await answered(url, session);
        await call(url, 'DELETE', `/sessions/${session}`);
        deleted.add(session);
      },
      async () => {
        const session = `exported-${count}`;
        await answered(url, session);
        const { messages } = await call(url, 'GET', `/sessions/${session}/export?format=json`);
        exported.set(session, messages.length);
      },
    ];
    if (round === 0) for (const step of steps) await step();
    let alive = true;
    /** Goes on until the kill; a refusal is no answer a write may get here. */
    const writer = async (step: () => Promise<void>) => {
      while (alive)
        try {
          count += 1;
          await step();
        } catch (error) {
          if (error instanceof Refused) throw error;
        }
    };
    const writers = [
      ...Object.entries(registers).map(([name, register]) =>
        writer(async () => {
          const value = name.startsWith('the permission') ? (PERMISSIONS[count % 3] ?? '') : String(count);
          possible.set(name, [...(possible.get(name) ?? []), value]);
          await register.write(url, value);
          possible.set(name, [value]);
        }),
      ),
      ...steps.map((step) => writer(step)),
    ];
    await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 1_200));
    alive = false;
    await kill();
    await Promise.all(writers);
  }
  const database = new DatabaseSync(join(folder, 'venom.db'));
  expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  database.close();
  console.log(
    `${secrets.size} secrets, ${files.size} files, ${backups.size} backups, ${deleted.size} deletions, ${exported.size} exports`,
  );
  for (const made of [secrets, files, backups, deleted, exported]) expect(made.size).toBeGreaterThan(0);
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

async function answered(url: string, session: string): Promise<void> {
  const response = await fetch(`${url}/api/v1/llm/simple/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ content: 'Hi', session_id: session }),
  });
  await response.text();
}

/** Names of what is written under another one until it is whole. */
const unfinished = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(part|partial|tmp|incoming)\b/.test(name),
  );

/** Files that more than their owner may read. */
const readableByOthers = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const facts = lstatSync(join(folder, name), { throwIfNoEntry: false });
    return facts?.isFile() && (facts.mode & 0o077) !== 0;
  });
