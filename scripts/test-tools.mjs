// What some tests need beside npm packages: a browser and the starter model. Each is fetched once, or its lack explained.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { run } from './run.mjs';

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const MAC_BROWSER = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

/** @returns {Promise<{ path: string } | { missing: string }>} */
export async function findBrowser() {
  const found = process.env['VENOM_CHROMIUM'] || browserOnPath();
  if (found) return { path: found };
  if (process.getuid?.() === 0 && onPath('apt-get')) {
    console.error('Installing chromium for the browser tests …');
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await run('apt-get', ['update', '-qq'], { env });
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], { env });
    const installed = browserOnPath();
    if (installed) return { path: installed };
  }
  return { missing: 'no chromium was found; install it, or name one in VENOM_CHROMIUM' };
}

/** @returns {Promise<{ path: string } | { missing: string }>} */
export async function findStarterModel() {
  const named = process.env['VENOM_TEST_MODEL'];
  if (named)
    return existsSync(named) ? { path: named } : { missing: `VENOM_TEST_MODEL names ${named}, which is not there` };
  await import('./typescript-hooks.mjs');
  const { STARTER } = await import('../src/catalogs/starter/starter-catalogue.ts');
  const { StarterModel } = await import('../src/catalogs/starter/starter-model.ts');
  const cache = process.env['VENOM_CACHE_DIR'] || process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const modelsDir = join(cache, 'venom', 'test-models');
  const starter = new StarterModel({
    modelsDir,
    setting: 'auto',
    huggingFaceBaseUrl: process.env['HF_ENDPOINT'] || 'https://huggingface.co',
    onChange: () => {},
  });
  if (starter.state.state !== 'installed')
    console.error(`Fetching the starter model for the tests into ${modelsDir} …`);
  try {
    await starter.install();
    return { path: join(modelsDir, STARTER.fileName) };
  } catch (error) {
    return { missing: `the starter model could not be fetched (${error.message}); name its file in VENOM_TEST_MODEL` };
  }
}

/**
 * A real embedding model; some seconds on a fresh machine.
 * @returns {Promise<{ path: string } | { missing: string }>}
 */
export async function findEmbeddingModel() {
  const named = process.env['VENOM_TEST_EMBEDDING_MODEL'];
  if (named)
    return existsSync(named)
      ? { path: named }
      : { missing: `VENOM_TEST_EMBEDDING_MODEL names ${named}, which is not there` };
  const cache = process.env['VENOM_CACHE_DIR'] || process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const { embeddingModelIn } = await import('./embedding-model.mjs');
  try {
    return { path: await embeddingModelIn(join(cache, 'venom', 'test-embedding')) };
  } catch (error) {
    return { missing: `${error.message}; name its file in VENOM_TEST_EMBEDDING_MODEL` };
  }
}

const OLLAMA_VERSION = 'v0.6.8';
const OLLAMA_BUILD_MS = 900_000;

/**
 * Ollama, built once from Go's module index where there is a Go and no Ollama; the newest release that builds this way.
 * @returns {Promise<{ path: string } | { missing: string }>}
 */
export async function findOllama() {
  const named = process.env['OLLAMA_BINARY'];
  if (named)
    return existsSync(named) ? { path: named } : { missing: `OLLAMA_BINARY names ${named}, which is not there` };
  const cache = process.env['VENOM_CACHE_DIR'] || process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const tools = join(cache, 'venom', 'test-tools');
  const built = join(tools, 'ollama');
  const found = existsSync(built) ? built : onPath('ollama');
  if (found) return { path: found };
  const go = onPath('go');
  if (!go) return { missing: 'no Ollama was found, and no Go to build it; install one, or name it in OLLAMA_BINARY' };
  console.error(`Building Ollama ${OLLAMA_VERSION} for the tests into ${tools} …`);
  const code = await run(go, ['install', `github.com/ollama/ollama@${OLLAMA_VERSION}`], {
    env: { ...process.env, GOBIN: tools },
    timeout: OLLAMA_BUILD_MS,
  }).catch(() => 1);
  if (existsSync(built)) return { path: built };
  return { missing: `Ollama could not be built (go ended with ${code}); name one in OLLAMA_BINARY` };
}

const MCP_PACKAGES = ['everything', 'filesystem', 'memory'].map(
  (name) => `@modelcontextprotocol/server-${name}@2026.8.31`,
);
const MCP_PYTHON = 'mcp==2.3.0';

/**
 * Real MCP servers of npm, installed without scripts, and the wheels a Python server needs; fetched once.
 * @returns {Promise<{ path: string } | { missing: string }>} a folder with `node`, `wheels` and `uv`
 */
export async function findMcpServers() {
  const cache = process.env['VENOM_CACHE_DIR'] || process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const path = join(cache, 'venom', 'test-tools', 'mcp');
  const node = join(path, 'node');
  const wheels = join(path, 'wheels');
  const uv = join(path, 'uv');
  const complete = (folder) => existsSync(join(folder, '.complete'));
  const python = ['-m', 'pip'];
  const wanted = [
    [node, 'npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', node, ...MCP_PACKAGES]],
    [wheels, 'python3', [...python, 'download', '--quiet', '--only-binary', ':all:', '--dest', wheels, MCP_PYTHON]],
    [uv, 'python3', [...python, 'install', '--quiet', '--only-binary', ':all:', '--upgrade', '--target', uv, 'uv']],
  ].filter(([folder]) => !complete(folder));
  if (wanted.length > 0) console.error(`Fetching MCP servers for the tests into ${path} …`);
  await Promise.all(
    wanted.map(async ([folder, program, args]) => {
      mkdirSync(folder, { recursive: true });
      const code = await run(program, args, { timeout: 300_000 }).catch(() => 1);
      if (code === 0) writeFileSync(join(folder, '.complete'), '');
    }),
  );
  // Without uv there is still pip.
  if (!complete(node) || !complete(wheels)) return { missing: 'npm and pip, with their indexes, are needed once' };
  return { path };
}

const browserOnPath = () => BROWSERS.map(onPath).find(Boolean) ?? (existsSync(MAC_BROWSER) ? MAC_BROWSER : undefined);

const onPath = (name) =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
