// What routing costs a question: the decision, and the scan for secrets and personal data on ordinary and hostile text.
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { serverBundle } from '../scripts/build.mjs';
import { percentile } from './client.mjs';

const PROSE =
  'Please compare the two contracts from March, write to me at anna.nowak@example.com or call +48 600 700 800, and keep the budget of 12 500 euros in mind. ';
const HOSTILE = ['1 ', 'eyJa.', 'a@', 'password is ', '-----BEGIN PRIVATE KEY', 'PL61 ', '-1', 'ul. A'];

async function decision({ ModelRouter }, report) {
  const target = { provider: 'ollama', model: 'm', endpoint: null, runtimeId: 'r', configHash: 'h', stream: () => {} };
  const router = new ModelRouter({
    local: { target: async () => target, knows: async () => true, activeCloud: () => null },
    exit: { hasKey: () => false, endpoint: () => null, providerOf: () => null },
    labels: { of: () => [], add: () => {} },
    budgets: { remainingUsd: () => null },
    policy: { current: { tree: { kind: 'single', target: { where: 'local' } } } },
    memory: { get: () => undefined },
    rest: { resting: () => false },
    price: () => null,
    sensitivity: { localOnly: true, masking: false, options: {} },
    aiMode: 'LOCAL',
    forceLocal: false,
    cloudProvider: 'google',
    tiers: { openai: {}, google: {}, 'cloud-compatible': {} },
    now: Date.now,
    draw: () => 0,
  });
  const text = PROSE.slice(0, 120);
  const times = [];
  for (let round = 0; round < 2_000; round += 1) {
    const startedAt = performance.now();
    await router.route({ text, mode: 'direct', taskType: 'CHAT', sessionId: 's', labels: [] });
    times.push(performance.now() - startedAt);
  }
  const p50 = percentile(times, 0.5);
  report('routing of a question of 120 characters, local only, p50', `${p50.toFixed(3)} ms`, '1 ms', p50 < 1);
}

/** @param {string} folder  for the bundle of the room that is measured */
export async function benchRouting(folder, report) {
  const bundle = await rolldown({
    ...serverBundle(),
    input: { sensitivity: 'src/routing/sensitivity.ts', router: 'src/routing/model-router.ts' },
  });
  await bundle.write({ dir: folder, format: 'esm', entryFileNames: '[name].mjs' });
  await bundle.close();
  const { findSensitive } = await import(join(folder, 'sensitivity.mjs'));
  await decision(await import(join(folder, 'router.mjs')), report);
  const time = (text, rounds) => {
    const times = [];
    for (let round = 0; round < rounds; round += 1) {
      const startedAt = performance.now();
      findSensitive(text, { addresses: true, terms: ['falcon'] });
      times.push(performance.now() - startedAt);
    }
    return percentile(times, 0.5);
  };
  const sized = (unit, chars) => unit.repeat(Math.ceil(chars / unit.length)).slice(0, chars);
  time(sized(PROSE, 4_000), 300);
  const short = time(sized(PROSE, 4_000), 300);
  report('scan for sensitive text, 4,000 characters of prose, p50', `${short.toFixed(3)} ms`, '1 ms', short < 1);
  const long = time(sized(PROSE, 1_048_576), 5);
  const factor = long / (short * (1_048_576 / 4_000));
  report(
    'scan of 1 MB against 262 scans of 4,000 characters',
    `${long.toFixed(0)} ms, ratio ${factor.toFixed(2)}`,
    '2',
    factor < 2,
  );
  for (const unit of HOSTILE) {
    const small = time(sized(unit, 65_536), 5);
    const large = time(sized(unit, 1_048_576), 3);
    const growth = large / (small * 16);
    report(
      `the same of 1 MB of ${JSON.stringify(unit)}`,
      `${large.toFixed(0)} ms, ratio ${growth.toFixed(2)}`,
      '2',
      growth < 2,
    );
  }
}
