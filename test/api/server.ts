// The whole server in this process, on a folder and a port of its own.
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Composed, type ComposeOptions, compose } from '../../src/compose.js';
import { loadSettingsWithSources } from '../../src/config/config.js';

export interface TestServer {
  url: string;
  dataDir: string;
  venom: Composed;
  close(options?: { keepData?: boolean }): Promise<void>;
}

export async function startServer(
  env: Record<string, string> = {},
  dataDir = mkdtempSync(join(tmpdir(), 'venom-test-')),
  /** Where programs are found, and what model servers get a part of. */
  environment: Record<string, string> = {},
  further: Pick<ComposeOptions, 'importedServers'> = {},
  listenAt = 0,
): Promise<TestServer> {
  const loaded = loadSettingsWithSources(
    {
      VENOM_DATA_DIR: dataDir,
      VENOM_STARTER_MODEL: 'off',
      // Not into the keyring of whoever runs the tests.
      CLOUD_KEYS_IN: 'file',
      OLLAMA_REGISTRY_ENDPOINT: '',
      // Places of the internet, where a test has none of its own.
      OLLAMA_LIBRARY_ENDPOINT: 'http://127.0.0.1:9',
      HF_ENDPOINT: 'http://127.0.0.1:9',
      // What a test counts are the questions it asks.
      MODEL_AUTO_PROBE: 'false',
      MCP_REGISTRY_URL: '',
      VENOM_LOG_LEVEL: process.env['TEST_LOG'] ?? 'silent',
      ENV_FILE: '/dev/null',
      ...env,
    },
    dataDir,
  );
  const distDir = join(import.meta.dirname, '..', '..', 'dist');
  const venom = await compose(loaded, { distDir, environment, ...further });
  await venom.http.listen({ host: '127.0.0.1', port: listenAt });
  const { port } = venom.http.server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    dataDir,
    venom,
    async close({ keepData = false } = {}) {
      await venom.close();
      if (!keepData) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export interface SseEvent {
  event: string;
  data: Record<string, unknown>;
  id: string;
}

/** Reads events until the stream ends or `enough` says so. */
export async function readEvents(
  response: Response,
  enough: (events: SseEvent[]) => boolean = () => false,
): Promise<SseEvent[]> {
  const events: SseEvent[] = [];
  let text = '';
  const decoder = new TextDecoder();
  for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(bytes, { stream: true });
    let end = text.indexOf('\n\n');
    for (; end !== -1; end = text.indexOf('\n\n')) {
      const block = text.slice(0, end);
      text = text.slice(end + 2);
      const field = (name: string) =>
        block
          .split('\n')
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2) ?? '';
      if (field('event')) events.push({ event: field('event'), data: JSON.parse(field('data')), id: field('id') });
    }
    if (enough(events)) break;
  }
  return events;
}

export const textOf = (events: SseEvent[]): string =>
  events
    .filter(({ event }) => event === 'content')
    .map(({ data }) => data['text'])
    .join('');
