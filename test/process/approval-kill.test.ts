// Random kills while somebody says yes or no to a call of a tool. What was acknowledged is what the next start shows, what was
// refused never runs, and no task is left without an end.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startFakeUpstream, streams } from '../api/fake-upstream.js';
import { TaskClient } from '../api/task-client.js';
import { startProcess } from './venom-process.js';

const ROUNDS = Number(process.env['VENOM_KILL_ROUNDS'] ?? 4);
const STATES = { once: ['allowed', 'used'], deny: ['denied'] };

interface Approval {
  approval_id: string;
  request_id: string;
  state: string;
}

it(`keeps each yes and each no in ${ROUNDS} kills`, { timeout: 60_000 + ROUNDS * 20_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'venom-approval-kill-'));
  const workspace = join(folder, 'workspace');
  mkdirSync(workspace);
  const upstream = await startFakeUpstream();
  // A model that is led: writes the file its task names, then answers.
  const chosen = new Set<string>();
  upstream.behaviour = (body, response) => {
    const format = body['response_format'] as { json_schema?: { schema: { properties: object } } } | undefined;
    const properties = format?.json_schema?.schema.properties ?? {};
    const file = /file-\d+/.exec(JSON.stringify(body['messages']))?.[0] ?? '';
    if (!format) return streams(['Done.'])(body, response);
    if (!('tool' in properties))
      return streams([JSON.stringify({ file_path: `${file}.txt`, content: file })])(body, response);
    const tool = chosen.has(file) ? 'none' : 'file__write_file';
    chosen.add(file);
    return streams([JSON.stringify({ tool })])(body, response);
  };
  const env = { VENOM_DATA_DIR: folder, WORKSPACE_ROOT: workspace, LLM_LOCAL_ENDPOINT: upstream.url };
  /** By the id of the approval. */
  const decided = new Map<string, { decision: 'once' | 'deny'; acknowledged: boolean; file: string }>();
  const tasks: string[] = [];

  for (let round = 0; round <= ROUNDS; round += 1) {
    const { url, kill } = await startProcess(env);
    onTestFinished(kill);
    const client = new TaskClient(url);
    for (const id of tasks) await client.until(id, ({ status }) => status === 'COMPLETED' || status === 'FAILED');
    for (const [id, { decision, acknowledged, file }] of decided) {
      const { approval } = await client.get<{ approval: Approval }>(`/skills/approvals/${id}`);
      const states = acknowledged ? STATES[decision] : ['waiting', ...STATES[decision]];
      expect(states, `${decision} for ${file}`).toContain(approval.state);
      if (decision === 'deny') expect(existsSync(join(workspace, `${file}.txt`)), file).toBe(false);
      else if (approval.state !== 'used') expect(existsSync(join(workspace, `${file}.txt`)), file).toBe(false);
    }
    if (round === ROUNDS) {
      await kill();
      break;
    }
    const file = `file-${round}`;
    const task = await client.submit({ content: `Write ${file}`, forced_intent: 'FILE_OPERATION', session_id: file });
    tasks.push(task);
    const waiting = await vi.waitFor(
      async () => {
        const { approvals } = await client.get<{ approvals: Approval[] }>('/skills/approvals?state=waiting');
        const mine = approvals.find(({ request_id }) => request_id === task);
        if (!mine) throw new Error('nothing waits');
        return mine;
      },
      { timeout: 20_000, interval: 10 },
    );
    const entry = { decision: round % 2 === 0 ? ('once' as const) : ('deny' as const), acknowledged: false, file };
    decided.set(waiting.approval_id, entry);
    const answered = client.post(`/skills/approvals/${waiting.approval_id}`, { decision: entry.decision }).then(
      ({ ok }) => {
        entry.acknowledged = ok;
      },
      // Killed before it could answer.
      () => {},
    );
    // Each second one at the very moment it is told, the others somewhere around it.
    if (round < ROUNDS / 2) await answered;
    else await new Promise((resolve) => setTimeout(resolve, Math.random() * 30));
    await kill();
    await answered;
  }
  expect([...decided.values()].some(({ acknowledged }) => acknowledged)).toBe(true);
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
});
