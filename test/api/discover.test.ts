// Discover over the API: every catalogue at once, judged for this machine, chosen and ordered; no place delays the others.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gguf } from '../stand-ins/gguf.js';
import { type FakeHub, startFakeHub } from '../stand-ins/hugging-face.js';
import { startFakeOllama } from '../stand-ins/ollama.js';
import { type FakeLibrary, startFakeLibrary } from '../stand-ins/ollama-library.js';
import { startServer, type TestServer } from './server.js';

interface Found {
  model_name: string;
  provider: string;
  size_bytes: number | null;
  size_is_estimate: boolean;
  licence_class: string;
  abilities: string[];
  fit: { verdict: string; reason: string | null; basis: string; of: string | null; close: boolean };
}
interface Page {
  models: Found[];
  total: number;
  sources: { provider: string; state: string; error: string | null; count: number }[];
}

let hub: FakeHub;
let library: FakeLibrary;
let server: TestServer;

beforeEach(async () => {
  hub = await startFakeHub();
  library = await startFakeLibrary();
  hub.repositories['org/tiny-GGUF'] = { files: { 'tiny-Q4_K_M.gguf': gguf({ dataBytes: 3_000 }) }, license: 'mit' };
  hub.repositories['org/giant-900B-GGUF'] = {
    files: { 'giant-Q4_K_M.gguf': gguf() },
    tags: ['gguf', 'license:llama3.1', 'conversational'],
  };
  hub.repositories['org/counted-GGUF'] = {
    files: { 'counted-Q4_K_M.gguf': gguf() },
    tags: ['gguf', 'license:other'],
    parameters: 135e6,
  };
  hub.repositories['org/server-7B'] = { files: { 'model.safetensors': Buffer.alloc(8) }, license: 'mit' };
  library.models['llama3.2'] = {
    abilities: ['tools'],
    sizes: ['1b', '3b'],
    tags: { latest: '2.0GB', '1b': '1.3GB', '1b-q8_0': '1.6GB' },
  };
  server = await startServer({ HF_ENDPOINT: hub.url, OLLAMA_LIBRARY_ENDPOINT: library.url });
});
afterEach(async () => {
  await server.close();
  await hub.close();
  await library.close();
});

const get = async (path: string) => {
  const response = await fetch(`${server.url}/api/v1${path}`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const discover = async (query = ''): Promise<Page> => {
  const { status, body } = await get(`/models/discover${query}`);
  expect([status, body]).toEqual([200, expect.objectContaining({ success: true })]);
  return body as unknown as Page;
};
/** When no place is being asked any more. */
const whole = async (query = ''): Promise<Page> => {
  let page = await discover(query);
  await expect
    .poll(
      async () => {
        page = await discover(query);
        return page.sources.some(({ state }) => state === 'pending');
      },
      { timeout: 10_000 },
    )
    .toBe(false);
  return page;
};
const names = ({ models }: Page) => models.map(({ model_name }) => model_name);
const named = ({ models }: Page, name: string) => models.find(({ model_name }) => model_name === name);

describe('/models/discover', () => {
  it('has every catalogue in one list, each model with a word on whether it runs here', async () => {
    const page = await whole('?limit=100');
    expect(page.sources).toEqual([
      { provider: 'huggingface', state: 'fresh', error: null, count: 4 },
      { provider: 'ollama', state: 'fresh', error: null, count: 3 },
      { provider: 'python-index', state: 'fresh', error: null, count: 2 },
      { provider: 'local', state: 'fresh', error: null, count: 0 },
    ]);
    expect(named(page, 'org/giant-900B-GGUF')).toMatchObject({
      fit: { verdict: 'no', basis: 'listing', of: 'Q4_K_M' },
      size_is_estimate: true,
      licence_class: 'restricted',
      abilities: ['chat'],
    });
    expect(named(page, 'org/counted-GGUF')).toMatchObject({ licence_class: 'unknown', fit: { basis: 'listing' } });
    expect(named(page, 'org/tiny-GGUF')?.fit).toMatchObject({
      verdict: 'unknown',
      reason: 'size_unknown',
      close: true,
    });
    expect(named(page, 'org/server-7B')?.fit.reason).toMatch(/^needs_gpu$|null/);
    expect(named(page, 'llama3.2:1b')).toMatchObject({ size_bytes: 1_300_000_000, size_is_estimate: false });
    // Its header is known without a request.
    expect(named(page, 'gemma-3-270m-q4_k_m')?.fit.basis).toBe('header');
    expect(hub.requests.filter(({ path }) => path.includes('/resolve/'))).toEqual([]);
  });

  it('leaves only what runs here, and asks the hub for nothing else', async () => {
    const page = await whole('?fits=true&limit=100');
    expect(names(page)).toContain('org/counted-GGUF');
    expect(names(page)).not.toContain('org/giant-900B-GGUF');
    expect(names(page)).not.toContain('org/tiny-GGUF');
    expect(page.total).toBe(page.models.length);
  });

  it('chooses by licence, ability, size and source, and orders', async () => {
    expect(names(await whole('?licence=permissive&source=huggingface'))).toEqual(['org/tiny-GGUF']);
    expect(names(await whole('?licence=restricted&source=huggingface'))).toEqual(['org/giant-900B-GGUF']);
    expect(names(await whole('?source=ollama&max_gb=1.7&sort=size'))).toEqual(['llama3.2:1b', 'llama3.2:1b-q8_0']);
    expect(names(await whole('?source=ollama&query=llama&ability=tools'))).toEqual(['llama3.2']);
    expect(names(await whole('?source=ollama&query=llama&ability=embedding'))).toEqual([]);
    expect(names(await whole('?source=ollama&sort=name&limit=1&page=2'))).toEqual(['llama3.2:1b-q8_0']);
    hub.repositories['org/eyes-GGUF'] = { files: { 'eyes.gguf': gguf() }, task: 'image-text-to-text' };
    expect(names(await whole('?source=huggingface&ability=vision'))).toEqual(['org/eyes-GGUF']);
  });

  it.each([
    ['?licence=free', 422],
    ['?ability=flying', 422],
    ['?sort=random', 422],
    ['?max_gb=-1', 422],
    ['?fits=perhaps', 422],
    ['?source=elsewhere', 400],
    ['?limit=1000&page=2', 200],
  ])('%s answers %i', async (query, status) => {
    expect((await get(`/models/discover${query}`)).status).toBe(status);
  });

  it('shows what there is while one place is silent, and never waits for it again while it fails', async () => {
    hub.intercept = () => true;
    const page = await discover('?limit=100');
    expect(page.sources[0]).toMatchObject({ provider: 'huggingface', state: 'pending' });
    expect(names(page)).toContain('gemma-3-270m-q4_k_m');
    hub.intercept = (_request, response) => response.writeHead(500).end().writableEnded;
    const failing = await whole('?limit=99&query=llama');
    expect(failing.sources[0]).toMatchObject({ state: 'failed', error: expect.stringMatching(/\w.*\.$/) });
    expect(names(failing)).toContain('llama3.2');
    hub.intercept = () => false;
    // It rests for a moment, and is there again without anybody's doing.
    await expect
      .poll(async () => names(await discover('?limit=98&query=giant')), { timeout: 10_000, interval: 300 })
      .toEqual(['org/giant-900B-GGUF']);
  });

  it('counts no more memory for the embedded engine than it may take', async () => {
    const free = await whole('?source=python-index');
    expect(named(free, 'gemma-3-270m-q4_k_m')?.fit.verdict).toBe('good');
    await server.close();
    server = await startServer({ LLAMA_MEMORY_LIMIT_GB: '0.1' });
    expect(named(await whole('?source=python-index'), 'gemma-3-270m-q4_k_m')?.fit).toMatchObject({ verdict: 'no' });
    expect((await get('/models/fit?name=gemma-3-270m-q4_k_m&provider=python-index')).body['estimates']).toContainEqual(
      expect.objectContaining({ verdict: 'no', conversations: 1 }),
    );
  });

  it('calls a model installed whose file came from there', async () => {
    const { body } = await (async () => {
      const response = await fetch(`${server.url}/api/v1/models/registry/install`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'org/tiny-GGUF', provider: 'huggingface', runtime: 'llama-cpp' }),
      });
      return { body: (await response.json()) as { operation_id: string } };
    })();
    await expect
      .poll(async () => (await get(`/models/operations/${body.operation_id}`)).body['operation'])
      .toMatchObject({ status: 'completed' });
    expect(named(await whole('?source=huggingface'), 'org/tiny-GGUF')).toMatchObject({ installed: true });
    expect(named(await whole('?source=huggingface'), 'org/counted-GGUF')).toMatchObject({ installed: false });
  });
});

describe('/models/discover/fit', () => {
  const judge = async (name: string, provider = 'huggingface', runtime = 'llama-cpp') =>
    (await get(`/models/discover/fit?${new URLSearchParams({ name, provider, runtime })}`)).body['fit'];

  it('reads the header once, and the list knows it from then on', async () => {
    expect(await judge('org/tiny-GGUF')).toMatchObject({ verdict: 'good', basis: 'header', of: 'Q4_K_M' });
    const read = hub.requests.length;
    expect(await judge('org/tiny-GGUF')).toMatchObject({ verdict: 'good', basis: 'header' });
    expect(hub.requests.length).toBe(read);
    const page = await whole('?fits=true&source=huggingface');
    expect(named(page, 'org/tiny-GGUF')).toMatchObject({ fit: { basis: 'header' }, size_is_estimate: false });
  });

  it('says so where it cannot be read, and asks not again at once', async () => {
    hub.ranges = false;
    const answer = { verdict: 'unknown', reason: 'unreadable' };
    hub.repositories['org/whole-GGUF'] = { files: { 'whole.gguf': gguf({ dataBytes: 3_000_000 }) } };
    expect(await judge('org/whole-GGUF')).toMatchObject(answer);
    const read = hub.requests.length;
    expect(await judge('org/whole-GGUF')).toMatchObject(answer);
    expect(hub.requests.length).toBe(read);
    expect(await judge('org/nowhere')).toMatchObject(answer);
    expect(await judge('org/server-7B', 'huggingface', 'vllm')).toMatchObject({ verdict: 'unknown' });
  });

  it('reads no more than three headers at a time', async () => {
    let open = 0;
    let most = 0;
    hub.intercept = (request, response) => {
      if (!request.url?.includes('blobs=true')) return false;
      open += 1;
      most = Math.max(most, open);
      setTimeout(() => {
        open -= 1;
        response.writeHead(404).end('{}');
      }, 20);
      return true;
    };
    await Promise.all(Array.from({ length: 12 }, (_, index) => judge(`org/m-${index}`)));
    expect(most).toBe(3);
  });
});

describe('tags of the Ollama library', () => {
  it('are offered before an installation, with the sizes the library shows, asked for once', async () => {
    const ollama = await startFakeOllama();
    const own = await startServer({ OLLAMA_LIBRARY_ENDPOINT: library.url, OLLAMA_ENDPOINT: ollama.url });
    try {
      const variants = async (name: string) => {
        const response = await fetch(`${own.url}/api/v1/models/preflight?name=${name}&provider=ollama&runtime=ollama`);
        return ((await response.json()) as { variants: unknown[] }).variants;
      };
      expect(await variants('llama3.2')).toEqual([
        { name: '1b', size_bytes: 1_300_000_000, chosen: false },
        { name: '1b-q8_0', size_bytes: 1_600_000_000, chosen: false },
        { name: 'latest', size_bytes: 2_000_000_000, chosen: true },
      ]);
      expect(await variants('llama3.2:1b')).toContainEqual({ name: '1b', size_bytes: 1_300_000_000, chosen: true });
      expect(library.requests.filter((path) => path.endsWith('/tags') && path.startsWith('/library'))).toHaveLength(1);
      expect(await variants('nobody-knows')).toEqual([]);
    } finally {
      await own.close();
      await ollama.close();
    }
  });

  it('are names alone where only the registry lists them', async () => {
    const ollama = await startFakeOllama();
    library.intercept = (path, response) => path.startsWith('/library') && response.writeHead(503).end().writableEnded;
    const own = await startServer({
      OLLAMA_LIBRARY_ENDPOINT: library.url,
      OLLAMA_REGISTRY_ENDPOINT: library.url,
      OLLAMA_ENDPOINT: ollama.url,
    });
    try {
      const response = await fetch(`${own.url}/api/v1/models/preflight?name=llama3.2&provider=ollama&runtime=ollama`);
      expect(((await response.json()) as { variants: unknown[] }).variants).toEqual([
        { name: 'latest', size_bytes: null, chosen: true },
        { name: '1b', size_bytes: null, chosen: false },
        { name: '1b-q8_0', size_bytes: null, chosen: false },
      ]);
    } finally {
      await own.close();
      await ollama.close();
    }
  });
});
