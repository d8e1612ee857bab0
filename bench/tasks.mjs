// Tasks on the fast path: how soon an answer is seen, how many a second, and whether a long past slows them down.
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { load, percentile } from './client.mjs';
import { startUpstream, startVenom } from './processes.mjs';

const agent = new Agent({ keepAlive: true, maxSockets: 200 });
const STORED = 100_000;

function call(port, method, path, body) {
  const text = body === undefined ? '' : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        agent,
        host: '127.0.0.1',
        port,
        path: `/api/v1${path}`,
        method,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      },
      (response) => {
        let answer = '';
        response.on('data', (bytes) => {
          answer += bytes;
        });
        response.on('end', () => resolve({ status: response.statusCode, body: JSON.parse(answer || '{}') }));
        response.on('error', reject);
      },
    );
    asked.on('error', reject);
    asked.end(text);
  });
}

/** From the request to the moment a client sees COMPLETED. */
async function runTask(port, content) {
  const startedAt = performance.now();
  const accepted = await call(port, 'POST', '/tasks', { content });
  for (;;) {
    const { body } = await call(port, 'GET', `/tasks/${accepted.body.task_id}`);
    if (body.status === 'COMPLETED') return performance.now() - startedAt;
    if (body.status === 'FAILED') throw new Error(`a task failed: ${body.result}`);
  }
}

export async function benchTasks(folder, report) {
  const upstream = await startUpstream(20);
  const ms = (value) => `${value.toFixed(2)} ms`;
  for (const stored of [0, STORED]) {
    const data = join(folder, `tasks-${stored}`);
    const env = {
      VENOM_DATA_DIR: data,
      LLM_LOCAL_ENDPOINT: `http://127.0.0.1:${upstream.port}/v1`,
      RATE_LIMIT_BURST: '0',
    };
    if (stored > 0) await fillTasks(env, data, stored);
    const venom = await startVenom(env);
    for (let round = 0; round < 100; round += 1) await runTask(venom.port, 'help');
    const times = [];
    for (let round = 0; round < 500; round += 1) times.push(await runTask(venom.port, 'help'));
    const past = stored > 0 ? `, ${stored.toLocaleString('en')} stored` : '';
    const [half, most] = [percentile(times, 0.5), percentile(times, 0.99)];
    report(
      `fast path from POST to COMPLETED seen, p50 of 500${past}`,
      `${ms(half)} (p99 ${ms(most)})`,
      '3 ms, p99 10 ms',
      half < 3 && most < 10,
    );
    const rates = [];
    for (let round = 0; round < 3; round += 1)
      rates.push((await load(1_000, 16, () => runTask(venom.port, 'help'))).perSecond);
    const rate = percentile(rates, 0.5);
    report(`fast path tasks a second, 16 clients${past}`, rate.toFixed(0), '500', rate >= 500);
    if (stored > 0) {
      const lists = [];
      for (let round = 0; round < 50; round += 1) {
        const startedAt = performance.now();
        await call(venom.port, 'GET', '/tasks?limit=50');
        lists.push(performance.now() - startedAt);
      }
      report(`a page of 50 tasks${past}, p50`, ms(percentile(lists, 0.5)), '10 ms', percentile(lists, 0.5) < 10);
    }
    await venom.stop();
  }
  await upstream.stop();
}

/** A real store, made by the server itself, then filled with copies of a task it has done. */
async function fillTasks(env, data, count) {
  const venom = await startVenom(env);
  await runTask(venom.port, 'help');
  await venom.stop();
  const db = new DatabaseSync(join(data, 'venom.db'));
  db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
    INSERT INTO tasks (id, status, session_id, created_at, finished_at, request, result, logs, context_history, context_used)
    SELECT printf('00000000-0000-7000-8000-%012d', i), t.status, 'bench-' || (i % 1000), t.created_at, t.finished_at, t.request,
      t.result, t.logs, t.context_history, t.context_used FROM n, (SELECT * FROM tasks LIMIT 1) t`);
  db.close();
}
