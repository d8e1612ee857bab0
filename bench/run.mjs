// `make bench`: what Venom adds over calling a model server directly, and what it takes from the machine.
// Everything is measured side by side in one run; the figure that counts is the ratio or the difference.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askDirect, askOpenAi, askUpstream, load, percentile } from './client.mjs';
import { benchMcp } from './mcp.mjs';
import { benchNormalMode, contextTimes } from './memory.mjs';
import { benchModel } from './model.mjs';
import { benchModels } from './models.mjs';
import { cpuMs, residentMegabytes, startUpstream, startVenom, writtenBytes } from './processes.mjs';
import { benchRouting } from './routing.mjs';
import { benchScheduler } from './scheduler.mjs';
import { commitTimes, fillStore } from './store.mjs';
import { benchStreams } from './streams.mjs';
import { benchTasks } from './tasks.mjs';

const TOKENS = 50;
const STEADY_AFTER = 2_000;
const rows = [];
const report = (what, measured, limit, ok) => {
  rows.push({ what, measured, limit, ok });
  console.log(`${ok === undefined ? ' ' : ok ? '✓' : '✗'} ${what}: ${measured}${limit ? ` (limit ${limit})` : ''}`);
};
const ms = (value) => `${value.toFixed(2)} ms`;
const folder = mkdtempSync(join(tmpdir(), 'venom-bench-'));

try {
  await idleAndStart();
  await overhead();
  await throughput();
  await benchStreams(folder, report);
  await disk();
  await benchTasks(folder, report);
  await memory();
  await benchScheduler(folder, report);
  await benchModels(join(folder, 'models'), report);
  await benchRouting(join(folder, 'routing'), report);
  await benchMcp(join(folder, 'mcp'), report);
  const model = process.env.VENOM_TEST_MODEL ?? starterInCache();
  if (model) await benchModel(model, join(folder, 'model'), report);
  else console.log('  skipped the embedded engine: no starter model; run `make test` first or set VENOM_TEST_MODEL');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log('');
console.table(
  rows.map(({ what, measured, limit, ok }) => ({
    what,
    measured,
    limit: limit ?? '',
    met: ok === undefined ? '' : ok ? 'yes' : 'NO',
  })),
);

async function idleAndStart() {
  const data = join(folder, 'start');
  await fillStore(data, 10_000);
  const times = [];
  for (let round = 0; round < 5; round += 1) {
    const venom = await startVenom({ VENOM_DATA_DIR: data });
    times.push(venom.readyMs);
    if (round === 4) {
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      const resident = residentMegabytes(venom.pid);
      report('idle resident memory', `${resident.toFixed(0)} MB`, '110 MB', resident <= 110);
    }
    await venom.stop();
  }
  report(
    'ready after process start, 10,000 stored turns, p50 of 5',
    ms(percentile(times, 0.5)),
    '500 ms',
    percentile(times, 0.5) <= 500,
  );
}

async function overhead() {
  const upstream = await startUpstream(TOKENS, 1);
  const venom = await startVenom({
    VENOM_DATA_DIR: join(folder, 'overhead'),
    LLM_LOCAL_ENDPOINT: `http://127.0.0.1:${upstream.port}/v1`,
  });
  // A server just started is still being compiled, which takes a third of its CPU for its first thousand answers. Both are
  // shown; the limits are those of a server that has been in use for a few minutes.
  const young = await burst(venom, upstream);
  report('the first 600 answers: 50 streams add to the first token, p50', ms(young.added));
  report('the first 600 answers: CPU per 1000 streamed tokens', ms(young.cpu));
  await load(STEADY_AFTER, 50, (worker) => askDirect(venom.port, `steady-${worker}`));
  const single = { direct: [], upstream: [] };
  for (let round = 0; round < 200; round += 1) {
    single.upstream.push((await askUpstream(upstream.port)).firstTokenMs);
    single.direct.push((await askDirect(venom.port, 'one')).firstTokenMs);
  }
  const added = percentile(single.direct, 0.5) - percentile(single.upstream, 0.5);
  report(
    'Direct mode adds to the first token, 1 stream, p50',
    `${ms(added)} (${ms(percentile(single.upstream, 0.5))} alone)`,
    '1 ms',
    added <= 1,
  );
  const steady = await burst(venom, upstream);
  report(
    'Direct mode adds to the first token, 50 streams, p50',
    `${ms(steady.added)} (${ms(steady.alone)} alone)`,
    '10 ms',
    steady.added <= 10,
  );
  report('CPU of Direct mode per 1000 streamed tokens', ms(steady.cpu), '20 ms', steady.cpu <= 20);
  await venom.stop();
  await upstream.stop();
}

/** Six times a hundred answers, fifty at once, in turn with the same from the upstream alone. */
async function burst(venom, upstream) {
  const direct = [];
  const alone = [];
  const before = cpuMs(venom.pid);
  for (let round = 0; round < 6; round += 1) {
    alone.push(...(await load(100, 50, () => askUpstream(upstream.port))).results);
    direct.push(...(await load(100, 50, (worker) => askDirect(venom.port, `many-${worker}`))).results);
  }
  const cpu = ((cpuMs(venom.pid) - before) / (direct.length * TOKENS)) * 1_000;
  const first = (results) =>
    percentile(
      results.map(({ firstTokenMs }) => firstTokenMs),
      0.5,
    );
  return { added: first(direct) - first(alone), alone: first(alone), cpu };
}

async function throughput() {
  const upstream = await startUpstream(20);
  const venom = await startVenom({
    VENOM_DATA_DIR: join(folder, 'throughput'),
    LLM_LOCAL_ENDPOINT: `http://127.0.0.1:${upstream.port}/v1`,
  });
  await load(STEADY_AFTER, 50, () => askOpenAi(venom.port));
  const ratios = [];
  let failed = 0;
  const figures = [];
  for (let round = 0; round < 5; round += 1) {
    const alone = await load(600, 50, () => askUpstream(upstream.port));
    const through = await load(600, 50, () => askOpenAi(venom.port));
    failed += through.results.filter(({ status, complete }) => status !== 200 || !complete).length;
    ratios.push(through.perSecond / alone.perSecond);
    figures.push(`${through.perSecond.toFixed(0)}/${alone.perSecond.toFixed(0)}`);
  }
  const ratio = percentile(ratios, 0.5);
  report(
    '/v1 streaming with 50 connections, requests/s against the upstream alone',
    `${(ratio * 100).toFixed(0)} % (${figures.join(' ')}), ${failed} failed`,
    '50 %, 0 failed',
    ratio >= 0.5 && failed === 0,
  );
  await venom.stop();
  await upstream.stop();
}

async function disk() {
  const upstream = await startUpstream(TOKENS);
  const written = {};
  for (const [name, stored] of [
    ['turns 1 to 100', 0],
    ['turns 9,900 to 10,000', 9_900],
  ]) {
    const data = join(folder, `disk-${stored}`);
    if (stored > 0) await fillStore(data, stored);
    const venom = await startVenom({
      VENOM_DATA_DIR: data,
      LLM_LOCAL_ENDPOINT: `http://127.0.0.1:${upstream.port}/v1`,
    });
    const before = writtenBytes(venom.pid);
    for (let turn = 0; turn < 100; turn += 1) await askDirect(venom.port, 'bench-0');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    written[name] = (writtenBytes(venom.pid) - before) / 1_000_000;
    report(`disk written for ${name}`, `${written[name].toFixed(2)} MB`, '2 MB', written[name] <= 2);
    await venom.stop();
  }
  await upstream.stop();
  const commits = await commitTimes(join(folder, 'commits'), 500);
  report(
    'durable commit, p50 of 500',
    `${ms(percentile(commits, 0.5))} (p99 ${ms(percentile(commits, 0.99))})`,
    '1 ms',
    percentile(commits, 0.5) < 1,
  );
}

async function memory() {
  const times = await contextTimes(join(folder, 'memory'), 200);
  report(
    'context of a turn, 100,000 remembered texts, 500 messages, p50 of 200',
    `${ms(percentile(times, 0.5))} (p99 ${ms(percentile(times, 0.99))})`,
    '10 ms',
    percentile(times, 0.5) <= 10,
  );
  await benchNormalMode(join(folder, 'memory'), 120, report);
}

function starterInCache() {
  const cache = join(
    process.env.VENOM_CACHE_DIR ?? join(process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? '', '.cache'), 'venom'),
  );
  if (!existsSync(cache)) return undefined;
  const found = readdirSync(cache, { recursive: true, encoding: 'utf8' }).find((name) =>
    /SmolLM2[^/\\]*\.gguf$/.test(name),
  );
  return found && join(cache, found);
}
