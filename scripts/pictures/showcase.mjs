// A server with a life behind it, for pictures and for looking at every page: conversations of all modes, memory, a policy,
// tools, what went well and what failed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '../typescript-hooks.mjs';
import { startModelServer } from './model-server.mjs';
import { CONVERSATIONS, KNOWLEDGE, MEMORIES } from './texts.mjs';

const { startProcess } = await import('../../test/process/venom-process.ts');

/** `close` also deletes its data. */
export async function startShowcase(env = {}) {
  const models = await startModelServer();
  const dataDir = mkdtempSync(join(tmpdir(), 'venom-showcase-'));
  const settings = {
    VENOM_DATA_DIR: dataDir,
    LLM_LOCAL_ENDPOINT: models.url,
    CLOUD_KEYS_IN: 'file',
    MODEL_AUTO_PROBE: 'false',
    OLLAMA_REGISTRY_ENDPOINT: '',
    MCP_REGISTRY_URL: '',
    ...env,
  };
  let server = await startProcess(settings);
  const showcase = {
    url: server.url,
    dataDir,
    /** `meanwhile` has the database for itself. */
    async restart(meanwhile) {
      await server.stop();
      meanwhile();
      server = await startProcess(settings);
      showcase.url = server.url;
    },
    async close() {
      await server.stop();
      models.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  return showcase;
}

export async function fill(url) {
  const call = async (path, json, method = json === undefined ? 'GET' : 'POST') => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      ...(json === undefined || json === null
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) }),
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${answer}`);
    return answer;
  };
  for (const text of MEMORIES) await call('/memory/ingest', { text, category: 'user', scope: 'global' });
  const form = new FormData();
  form.set('file', new Blob([KNOWLEDGE.text], { type: 'text/markdown' }), KNOWLEDGE.name);
  await fetch(`${url}/api/v1/knowledge/files`, { method: 'POST', body: form });

  const tasks = [];
  for (const [index, { mode, title, ask }] of CONVERSATIONS.entries()) {
    const session_id = `session-showcase-${String(index).padStart(2, '0')}`;
    for (const content of ask) {
      if (mode === 'direct') await call('/llm/simple/stream', { content, session_id });
      else {
        const forced = { complex: 'COMPLEX_PLANNING', campaign: 'START_CAMPAIGN' }[mode];
        const { task_id } = JSON.parse(
          await call('/tasks', { content, session_id, ...(forced ? { forced_intent: forced } : {}) }),
        );
        tasks.push(task_id);
        while (!/COMPLETED|FAILED/.test(JSON.parse(await call(`/tasks/${task_id}`)).status))
          await new Promise((done) => setTimeout(done, 100));
      }
    }
    await call(`/sessions/${session_id}`, { title }, 'PATCH');
  }
  await call('/sessions/session-showcase-00', { pinned: true }, 'PATCH');
  await call('/feedback', { task_id: tasks[0], rating: 'up' });
  await call('/feedback', { task_id: tasks[1], rating: 'down', comment: 'Too stiff. Write as to a neighbour.' });
  await call('/routing/policy', POLICY, 'PUT');
  const config = {
    mcpServers: {
      files: {
        command: process.execPath,
        args: [join(import.meta.dirname, '../../test/stand-ins/fake-mcp-server.mjs')],
      },
    },
  };
  await call('/mcp/import/config', { config, network: false, write_named: false });
  await call('/models/switch', { name: 'gemma-3-12b-it' }).catch(() => {});
  await call('/models/switch', { name: 'qwen3-4b-instruct' }).catch(() => {});
  await call('/models/install', { name: 'no/such-model', provider: 'huggingface' }).catch(() => {});
}

const LOCAL = { kind: 'single', target: { where: 'local' } };
const POLICY = {
  policy: {
    kind: 'conditional',
    cases: [
      { when: { sensitive: true }, reason: 'sensitive_content_override', node: LOCAL },
      { when: { complexity: { max: 3 } }, reason: 'task_complexity_low', node: LOCAL },
      {
        when: { task: ['CODING_COMPLEX'], complexity: { min: 4 } },
        node: { kind: 'fallback', nodes: [{ kind: 'single', target: { where: 'cloud', tier: 'high' } }, LOCAL] },
      },
    ],
    otherwise: {
      kind: 'balance',
      choices: [
        { weight: 3, node: LOCAL },
        { weight: 1, node: { kind: 'single', target: { where: 'cloud', tier: 'fast' } } },
      ],
    },
    reason: 'task_complexity_high',
  },
};
