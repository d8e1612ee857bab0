// Runs inside the measured server (`node --import`): writes down how much memory it has, regularly, after each full
// collection that V8 makes by itself, and on SIGUSR2 after one that is asked for. Changes nothing else.
import { appendFileSync } from 'node:fs';
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

const file = process.env.VENOM_MEMORY_SAMPLES;
const SAMPLE_MS = 2_000;
const megabytes = (bytes) => bytes / 1_048_576;

function write(kind) {
  const { rss, heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
  const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size;
  const figures = { rss, heapUsed, heapTotal, external, arrayBuffers, young };
  const sample = Object.fromEntries(Object.entries(figures).map(([name, bytes]) => [name, megabytes(bytes)]));
  appendFileSync(file, `${JSON.stringify({ kind, minute: performance.now() / 60_000, ...sample })}\n`);
}

if (file && isMainThread) {
  setInterval(() => write('regular'), SAMPLE_MS).unref();
  new PerformanceObserver((list) => {
    const full = list.getEntries().some(({ detail }) => detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR);
    if (full) write('collected');
  }).observe({ entryTypes: ['gc'] });
  process.on('SIGUSR2', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc');
    // Twice: what only a finalizer held is free after the second.
    collect();
    collect();
    write('asked');
  });
}
