// The life of a model through the whole server: found, installed, recorded, removed, with a hub that fails on demand.
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gguf } from '../stand-ins/gguf.js';
import { type FakeHub, startFakeHub } from '../stand-ins/hugging-face.js';
import { startServer, type TestServer } from './server.js';

const FILE = gguf({ dataBytes: 400_000 });
let hub: FakeHub;
let server: TestServer;
let dataDir: string;

beforeEach(async () => {
  hub = await startFakeHub();
  hub.repositories['org/tiny'] = { files: { 'tiny-Q4_K_M.gguf': FILE, 'tiny-F16.gguf': FILE }, license: 'mit' };
  dataDir = mkdtempSync(join(tmpdir(), 'venom-life-'));
  server = await start();
});
afterEach(async () => {
  await server.close();
  await hub.close();
});

const start = (env: Record<string, string> = {}) =>
  startServer({ HF_ENDPOINT: hub.url, HF_TOKEN: 'hf_secret', LLM_WARMUP_ON_STARTUP: 'false', ...env }, dataDir);
const call = async (path: string, body?: object, method = body ? 'POST' : 'GET') => {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method,
    ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
interface Op {
  status: string;
  error_code: string | null;
  error: string | null;
  received_bytes: number;
  attempt: number;
  steps: { name: string; status: string }[];
}
const install = async (name: string, runtime = 'llama-cpp') => {
  const { body } = await call('/models/registry/install', { name, provider: 'huggingface', runtime });
  return String(body['operation_id']);
};
const operation = async (id: string) => (await call(`/models/operations/${id}`)).body['operation'] as Op;
const ended = async (id: string): Promise<Op> => {
  await expect.poll(async () => (await operation(id)).status, { timeout: 15_000 }).not.toMatch(/pending|in_progress/);
  return operation(id);
};
const modelsDir = () => join(dataDir, 'models');
const files = () => readdirSync(modelsDir()).filter((name) => name !== '.incoming');

describe('an installation from Hugging Face', () => {
  it('is found, judged, installed with steps and bytes, listed and removed', async () => {
    const search = await call('/models/search?query=tiny');
    expect(search.body).toMatchObject({
      success: true,
      total: 1,
      models: [{ model_name: 'org/tiny', runtime: 'llama-cpp' }],
    });
    const judged = await call('/models/preflight?name=org%2Ftiny&provider=huggingface&runtime=llama-cpp');
    expect(judged.body).toMatchObject({ verdict: 'ok', total_bytes: FILE.length, licence: 'mit' });
    const done = await ended(await install('org/tiny'));
    expect(done).toMatchObject({ status: 'completed', received_bytes: FILE.length });
    expect(done.steps.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'plan done',
      'download done',
      'verify done',
      'register done',
    ]);
    expect(readFileSync(join(modelsDir(), 'tiny-Q4_K_M.gguf')).equals(FILE)).toBe(true);
    const { body } = await call('/models');
    expect((body['models'] as { name: string }[]).map(({ name }) => name)).toContain('tiny-Q4_K_M');
    expect(await call('/models/tiny-Q4_K_M/capabilities')).toMatchObject({
      status: 200,
      body: { capabilities: { max_context_length: 2_048 } },
    });
    writeFileSync(join(modelsDir(), 'other.gguf'), FILE);
    await call('/models/switch', { name: 'other' });
    const removal = await call('/models/registry/tiny-Q4_K_M', undefined, 'DELETE');
    expect(await ended(String(removal.body['operation_id']))).toMatchObject({ status: 'completed' });
    expect(files()).toEqual(['other.gguf']);
  });

  it('is judged from its header alone, before and after, in few requests', async () => {
    const before = await call('/models/fit?name=org%2Ftiny');
    expect(before).toMatchObject({ status: 200, body: { file_bytes: FILE.length, measured: null } });
    const rows = before.body['estimates'] as { context_length: number; verdict: string; total_bytes: number }[];
    expect(rows.at(-1)).toMatchObject({ context_length: 2_048, verdict: 'yes' });
    const asked = hub.requests.filter(({ path }) => path.includes('/resolve/'));
    expect(asked.length).toBeLessThan(5);
    await ended(await install('org/tiny'));
    expect((await call('/models/tiny-Q4_K_M/fit')).body['estimates']).toEqual(rows);
    // The header of a pinned file is read once.
    const known = hub.requests.length;
    expect((await call('/models/fit?name=org%2Ftiny')).body['estimates']).toEqual(rows);
    expect(hub.requests.slice(known).filter(({ path }) => path.includes('/resolve/'))).toEqual([]);
    hub.ranges = false;
    expect((await call('/models/fit?name=org%2Ftiny%3AF16')).body).toMatchObject({ code: 'unsupported' });
  });

  it('survives twenty cuts at random places without reading much twice', async () => {
    const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9));
    console.info(`seed ${seed}`);
    let state = seed;
    const random = () => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state / 2_147_483_648;
    };
    let cuts = 0;
    hub.cutAfter = () => {
      cuts += 1;
      return cuts <= 20 ? 1 + Math.floor(random() * 19_000) : Number.POSITIVE_INFINITY;
    };
    await server.close({ keepData: true });
    server = await start();
    expect(await ended(await install('org/tiny'))).toMatchObject({ status: 'completed' });
    expect(cuts).toBe(21);
    expect(hub.sentBytes).toBeLessThanOrEqual(FILE.length * 1.1);
    expect(readFileSync(join(modelsDir(), 'tiny-Q4_K_M.gguf')).equals(FILE)).toBe(true);
  }, 60_000);

  const holds = (content: Buffer, extra: object = {}) => {
    hub.repositories['org/tiny'] = { files: { 'a.gguf': content }, ...extra };
  };
  const answers = (answer: (response: ServerResponse) => void) => {
    hub.intercept = (_request, response) => {
      answer(response);
      return true;
    };
  };
  it.each<[string, string, () => void]>([
    ['a wrong hash', 'hash_mismatch', () => holds(FILE, { wrongHash: true })],
    ['a file that is no model', 'invalid_model', () => holds(randomBytes(900))],
    ['a pickle under another name', 'invalid_model', () => holds(Buffer.from([0x80, 4, 1, 2, 3, 4, 5, 6, 7, 8]))],
    ['a path out of the folder', 'unsafe_model', () => holds(FILE, { files: { '../../evil.gguf': FILE } })],
    ['a gated model', 'gated_model', () => holds(FILE, { gated: 'denied' })],
    ['an unknown model', 'model_not_found', () => Reflect.deleteProperty(hub.repositories, 'org/tiny')],
    ['a page in place of facts', 'upstream_protocol', () => answers((response) => response.end('<html>'))],
    [
      'a hub that redirects its API',
      'upstream_redirect',
      () => answers((response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end()),
    ],
  ])('ends with a code on %s and leaves no file', async (_name, code, prepare) => {
    prepare();
    expect(await ended(await install('org/tiny'))).toMatchObject({ status: 'failed', error_code: code });
    expect(files()).toEqual([]);
    const left = existsSync(join(modelsDir(), '.incoming'))
      ? readdirSync(join(modelsDir(), '.incoming'), { recursive: true, withFileTypes: true }).filter((one) =>
          one.isFile(),
        )
      : [];
    expect(left).toEqual([]);
  });

  it('of a repository takes safetensors, never pickles, and refuses code', async () => {
    const tensors = Buffer.from(JSON.stringify({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } }));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(tensors.length));
    const weights = Buffer.concat([length, tensors, Buffer.alloc(8)]);
    const config = Buffer.from(JSON.stringify({ max_position_embeddings: 512 }));
    hub.repositories['org/full'] = {
      files: { 'model.safetensors': weights, 'config.json': config, 'pytorch_model.bin': FILE },
    };
    expect(await ended(await install('org/full', 'vllm'))).toMatchObject({ status: 'completed' });
    expect(readdirSync(join(modelsDir(), 'org--full')).sort()).toEqual(['config.json', 'model.safetensors']);
    expect((await call('/models/org/full/capabilities')).body).toMatchObject({
      capabilities: { max_context_length: 512 },
    });
    expect((await call('/models/org%2Ffull/capabilities')).status).toBe(200);
    for (const [files_, code] of [
      [{ 'model.safetensors': weights, 'modeling.py': config }, 'unsafe_model'],
      [{ 'pytorch_model.bin': FILE }, 'unsafe_model'],
      [{ 'model.safetensors': weights, 'config.json': Buffer.from('{"auto_map":{}}') }, 'unsafe_model'],
      [{ 'model.safetensors': Buffer.concat([length, tensors]) }, 'invalid_model'],
    ] as const) {
      hub.repositories['org/bad'] = { files: { ...files_ } };
      expect(await ended(await install('org/bad', 'vllm'))).toMatchObject({ status: 'failed', error_code: code });
      expect(existsSync(join(modelsDir(), 'org--bad'))).toBe(false);
    }
  });

  it('can be cancelled, keeps what it has, and goes on when it is retried', async () => {
    hub.paceMs = 40;
    const id = await install('org/tiny');
    await expect.poll(async () => (await operation(id)).received_bytes, { timeout: 5_000 }).toBeGreaterThan(100_000);
    await call(`/models/operations/${id}/cancel`, {});
    expect(await ended(id)).toMatchObject({ status: 'cancelled' });
    hub.paceMs = 0;
    await call(`/models/operations/${id}/retry`, {});
    expect(await ended(id)).toMatchObject({ status: 'completed', attempt: 2 });
    expect(hub.sentBytes).toBeLessThanOrEqual(FILE.length * 1.6);
  });

  it('goes on after the server was stopped in the middle', async () => {
    hub.paceMs = 40;
    const id = await install('org/tiny');
    await expect.poll(async () => (await operation(id)).received_bytes, { timeout: 5_000 }).toBeGreaterThan(100_000);
    await server.close({ keepData: true });
    hub.paceMs = 0;
    server = await start();
    expect(await ended(id)).toMatchObject({ status: 'completed', attempt: 2 });
    expect(hub.requests.some(({ range }) => /^bytes=\d{5,}-$/.test(range ?? ''))).toBe(true);
  });

  it('of two that fit alone but not together refuses the second before its first byte', async () => {
    hub.repositories['org/twin'] = { files: { 'twin.gguf': FILE } };
    await server.close({ keepData: true });
    server = await start({ MODELS_DISK_LIMIT_GB: String((FILE.length * 1.5) / 1_073_741_824) });
    hub.paceMs = 40;
    const first = await install('org/tiny');
    await expect.poll(async () => (await operation(first)).received_bytes, { timeout: 5_000 }).toBeGreaterThan(0);
    const second = await ended(await install('org/twin'));
    expect(second).toMatchObject({ status: 'failed', error_code: 'insufficient_storage', received_bytes: 0 });
    expect(second.error).toMatch(/together/);
    hub.paceMs = 0;
    expect(await ended(first)).toMatchObject({ status: 'completed' });
  });

  it('gives its token to the hub and answers twins with one operation', async () => {
    hub.paceMs = 20;
    const [a, b] = await Promise.all([install('org/tiny'), install('org/tiny')]);
    expect(a).toBe(b);
    await ended(a);
    expect(new Set(hub.requests.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer hf_secret']));
    const { body } = await call('/models/operations');
    expect(JSON.stringify(body)).not.toContain('hf_secret');
  });
});

describe('what a caller may ask for', () => {
  it.each([
    [{ name: '../../etc', provider: 'huggingface', runtime: 'vllm' }, 422],
    [{ name: 'noslash', provider: 'huggingface', runtime: 'vllm' }, 422],
    [{ name: 'a/b', provider: 'huggingface', runtime: 'ollama' }, 422],
    [{ name: 'a/b', provider: 'ollama', runtime: 'ollama' }, 422],
    [{ name: 'a', provider: 'ollama', runtime: 'vllm' }, 422],
    [{ name: 'a', provider: 'elsewhere' }, 422],
  ])('registry install %# is refused', async (body, status) => {
    expect((await call('/models/registry/install', body)).status).toBe(status);
  });

  it('dead catalogues say so, in time, and never as an empty success', async () => {
    hub.intercept = (_request, response) => response.writeHead(500).end().writableEnded;
    const { status, body } = await call('/models/trending?provider=huggingface');
    expect(status).toBe(200);
    expect(body).toMatchObject({ models: [], stale: true, error: expect.any(String) });
    expect((await call('/models/search?query=ab')).body).toMatchObject({ models: [], error: expect.any(String) });
    expect((await call('/models/news')).body).toMatchObject({ items: [], stale: true, error: expect.any(String) });
    expect((await call('/models/trending?provider=nobody')).status).toBe(400);
    expect((await call('/models/news?lang=fr')).status).toBe(400);
    hub.intercept = () => true;
    const startedAt = performance.now();
    expect((await call('/models/providers?provider=huggingface')).body).toMatchObject({ stale: true });
    expect(performance.now() - startedAt).toBeLessThan(4_500);
  });

  it('the last good copy is shown when the hub is gone, and says that it is old', async () => {
    expect((await call('/models/trending?provider=huggingface')).body).toMatchObject({ count: 1, stale: false });
    await hub.close();
    expect((await call('/models/trending?provider=huggingface')).body).toMatchObject({ count: 1, stale: false });
    expect((await call('/models/trending?provider=huggingface&limit=3')).body).toMatchObject({ stale: true });
    expect((await call('/models/search?query=tiny')).body).toMatchObject({
      models: [{ model_name: 'org/tiny' }],
      total: 1,
      stale: true,
      error: expect.any(String),
    });
    expect((await call('/models/search?query=tiny&provider=all')).body).toMatchObject({ total: 1, stale: false });
  });

  it('a path in another application is adopted by link, and only what was found there', async () => {
    const { body } = await call('/models/adoptable');
    expect(body['success']).toBe(true);
    expect((await call('/models/adopt', { id: 'lm-studio:/etc/passwd' })).status).toBe(404);
  });

  it('the former version still serves when a new one does not pass', async () => {
    mkdirSync(modelsDir(), { recursive: true });
    const active = async () => (await call('/system/llm-servers/active')).body['active_model'];
    writeFileSync(join(modelsDir(), 'good.gguf'), FILE);
    await expect.poll(active, { timeout: 5_000 }).toBe('good');
    writeFileSync(join(modelsDir(), 'later-cut.gguf'), FILE.subarray(0, FILE.length - 10_000));
    await expect
      .poll(async () => (await call('/models/activate', { name: 'later-cut', runtime: 'llama-cpp' })).body['code'], {
        timeout: 5_000,
      })
      .toBe('activation_failed');
    expect(await active()).toBe('good');
  });
});

it('adopts by hard link: one copy of the bytes under two names', async () => {
  const { ForeignModels } = await import('../../src/catalogs/local-folders/foreign-models.js');
  const home = mkdtempSync(join(tmpdir(), 'venom-foreign-'));
  const sha256 = createHash('sha256').update(FILE).digest('hex');
  mkdirSync(join(home, 'manifests/registry.ollama.ai/library/tiny'), { recursive: true });
  mkdirSync(join(home, 'blobs'));
  writeFileSync(join(home, 'blobs', `sha256-${sha256}`), FILE);
  writeFileSync(
    join(home, 'manifests/registry.ollama.ai/library/tiny/latest'),
    JSON.stringify({ layers: [{ mediaType: 'application/vnd.ollama.image.model', digest: `sha256:${sha256}` }] }),
  );
  writeFileSync(
    join(home, 'manifests/registry.ollama.ai/library/tiny/evil'),
    JSON.stringify({
      layers: [{ mediaType: 'application/vnd.ollama.image.model', digest: 'sha256:../../../../etc/passwd' }],
    }),
  );
  const target = mkdtempSync(join(tmpdir(), 'venom-models-'));
  const foreign = new ForeignModels({ ollama: [home], lmStudio: [], huggingFace: [] }, target);
  const found = await foreign.find();
  expect(found).toMatchObject([{ name: 'tiny-latest', sha256, sizeBytes: FILE.length }]);
  const adopted = await foreign.adopt(found[0] as never, 'tiny.gguf');
  expect(adopted.linked).toBe(true);
  expect(statSync(adopted.path).ino).toBe(statSync(join(home, 'blobs', `sha256-${sha256}`)).ino);
  await expect(foreign.adopt(found[0] as never, 'tiny.gguf')).rejects.toMatchObject({ code: 'conflict' });
});
