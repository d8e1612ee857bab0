// The process is killed while an imported server waits for a person's answer. The question is there after the next start, and
// the answer given then resumes the task and reaches the server.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { importAsking, leadsTo } from '../api/asking-server.js';
import { startFakeUpstream } from '../api/fake-upstream.js';
import { TaskClient } from '../api/task-client.js';
import { startProcess } from './venom-process.js';

interface Question {
  question_id: string;
  request_id: string;
  state: string;
}

it.each(['legacy', 'modern'] as const)(
  'keeps a question of a server of the %s era',
  { timeout: 90_000 },
  async (era) => {
    const folder = mkdtempSync(join(tmpdir(), 'venom-question-kill-'));
    const upstream = await startFakeUpstream();
    const env = { VENOM_DATA_DIR: folder, LLM_LOCAL_ENDPOINT: upstream.url, MCP_GIT_FILE_ROOTS: tmpdir() };
    const first = await startProcess(env);
    onTestFinished(first.kill);
    await importAsking(first.url, era);
    const tool = `${era}__book`;
    leadsTo(upstream, tool);
    let client = new TaskClient(first.url);
    const task = await client.submit({ content: `Call ${tool}`, forced_tool: tool, session_id: 'one' });
    const question = await vi.waitFor(
      async () => {
        const { questions } = await client.get<{ questions: Question[] }>('/skills/questions?state=waiting');
        if (!questions[0]) throw new Error('nothing waits');
        return questions[0];
      },
      { timeout: 20_000, interval: 20 },
    );
    await first.kill();
    const second = await startProcess(env);
    onTestFinished(second.kill);
    client = new TaskClient(second.url);
    const { questions } = await client.get<{ questions: Question[] }>('/skills/questions?state=waiting');
    expect(questions).toMatchObject([{ question_id: question.question_id, request_id: task }]);
    const told = leadsTo(upstream, tool);
    const answer = { action: 'accept', content: { name: 'Ada', room: 'in' } };
    expect((await client.post(`/skills/questions/${question.question_id}`, answer)).status).toBe(200);
    await client.until(task, ({ status }) => status === 'COMPLETED');
    expect(told()).toContain('Ada');
    const after = await client.get<{ question: Question }>(`/skills/questions/${question.question_id}`);
    expect(after.question.state).toBe('used');
    await second.kill();
    await upstream.close();
    rmSync(folder, { recursive: true, force: true });
  },
);
