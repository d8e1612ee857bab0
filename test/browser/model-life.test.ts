// What a person does with models beside finding one: choosing a quantization and watching it come, stopping and trying again,
// taking over what another application has, testing and going back, and servers that are started, read and restarted.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { streams } from '../api/fake-upstream.js';
import { gguf } from '../stand-ins/gguf.js';
import { type FakeHub, startFakeHub } from '../stand-ins/hugging-face.js';
import { accessibilityProblems, type Site, startSite } from './page.js';

let hub: FakeHub;
let site: Site;
let home: string;
const ownHome = process.env['HOME'];

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** llama.cpp's server as far as its address and its log go. */
function llamaServer(folder: string, port: number): string {
  const script = join(folder, 'llama-server.cjs');
  writeFileSync(
    script,
    `const wire = { '/health': { status: 'ok' }, '/v1/models': { object: 'list', data: [{ id: 'tiny.gguf', object: 'model' }] } };
require('node:http').createServer((request, response) => {
  const body = wire[request.url];
  response.writeHead(body ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(body ?? {}));
}).listen(${port}, '127.0.0.1', () => console.log('main: server is listening as ' + process.pid));
`,
  );
  return `${process.execPath} "${script}"`;
}

beforeAll(async () => {
  hub = await startFakeHub();
  hub.repositories['org/many'] = {
    files: {
      'many-Q8_0.gguf': gguf({ dataBytes: 6_000_000 }),
      'many-Q4_K_M.gguf': gguf({ dataBytes: 4_000_000 }),
      'many-Q2_K.gguf': gguf({ dataBytes: 2_000_000 }),
    },
    license: 'mit',
  };
  hub.repositories['org/slow'] = { files: { 'slow-Q4_K_M.gguf': gguf({ dataBytes: 9_000_000 }) }, license: 'mit' };
  hub.repositories['org/wrong'] = {
    files: { 'wrong-Q4_K_M.gguf': gguf({ dataBytes: 300_000 }) },
    license: 'mit',
    wrongHash: true,
  };
  home = mkdtempSync(join(tmpdir(), 'venom-home-'));
  const elsewhere = join(home, '.lmstudio', 'models', 'org', 'repo');
  mkdirSync(elsewhere, { recursive: true });
  writeFileSync(join(elsewhere, 'elsewhere.gguf'), gguf({ dataBytes: 4_000 }));
  const port = await freePort();
  process.env['HOME'] = home;
  try {
    site = await startSite({
      HF_ENDPOINT: hub.url,
      LLAMA_SERVER_COMMAND: llamaServer(home, port),
      LLAMA_SERVER_PORT: String(port),
    });
  } finally {
    process.env['HOME'] = ownHome;
  }
});
afterEach(() => {
  hub.paceMs = 0;
});
afterAll(async () => {
  await site.close();
  await hub.close();
  rmSync(home, { recursive: true, force: true });
});

async function startInstall(page: Page, name: string): Promise<void> {
  await page.getByLabel('Search models').fill(name.split('/')[1] ?? '');
  await page.getByRole('button', { name: `Install ${name}` }).click();
  await page.getByRole('dialog').getByText('It can be installed', { exact: true }).waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Install', exact: true }).click();
}
const card = (page: Page, name: string) => page.getByRole('article').filter({ hasText: name }).first();

describe.each([1_280, 390])('at %i pixels', (width) => {
  it('a quantization is chosen by its size, and its download is watched where it was begun', async () => {
    const { page, context, errors } = await site.open({ path: '/discover', width });
    await page.getByLabel('Search models').fill('many');
    await page.getByRole('button', { name: /^Install (?:again )?org.many$/ }).click();
    const dialog = page.getByRole('dialog');
    const variant = dialog.getByRole('combobox', { name: 'Variant' });
    await expect.poll(() => variant.inputValue()).toMatch(/^Q4_K_M · 4 MB · usual choice$/);
    await variant.click();
    const wanted = width === 390 ? 'Q2_K' : 'Q8_0';
    expect(await page.getByRole('listbox').getByRole('option').allTextContents()).toEqual([
      expect.stringMatching(/^Q2_K · 2 MB/),
      expect.stringMatching(/^Q4_K_M · 4 MB/),
      expect.stringMatching(/^Q8_0 · 6 MB/),
    ]);
    await page.getByRole('listbox').getByRole('option', { name: wanted }).click();
    await dialog.getByText(`org/many:${wanted}`).waitFor();
    await dialog.getByText('It can be installed', { exact: true }).waitFor();
    expect(await variant.inputValue()).toContain(wanted);
    expect(await accessibilityProblems(page)).toEqual([]);
    // Slow enough for what is looked at meanwhile; it is hurried on below.
    hub.paceMs = 400;
    await dialog.getByRole('button', { name: 'Install', exact: true }).click();
    await page.getByText('is being installed').waitFor();
    const progress = card(page, 'org/many').getByRole('progressbar');
    await progress.waitFor();
    await expect.poll(async () => Number(await progress.getAttribute('aria-valuenow'))).toBeGreaterThan(5);
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByRole('link', { name: 'Show progress org/many' }).click();
    await page.getByRole('heading', { level: 1, name: 'Activity' }).waitFor();
    await card(page, `org/many:${wanted}`)
      .getByText(/\d MB of \d MB/)
      .waitFor();
    hub.paceMs = 0;
    await card(page, `org/many:${wanted}`).getByText('done', { exact: true }).waitFor();
    await page.goto(`${site.server.url}/models`);
    await page.getByRole('row', { name: new RegExp(`many-${wanted}`) }).waitFor();
    expect(errors).toEqual([]);
    await context.close();
  });
});

describe('activity', () => {
  it('stops a download, takes it up again where it was, and says why one failed', async () => {
    const { page, context, errors } = await site.open({ path: '/discover', width: 390, height: 844 });
    hub.paceMs = 60;
    await startInstall(page, 'org/slow');
    await page.goto(`${site.server.url}/activity`);
    const slow = card(page, 'org/slow');
    await slow.getByRole('progressbar').waitFor();
    await slow.getByText(/[1-9]\d* MB of 9 MB/).waitFor();
    await slow.getByRole('button', { name: 'Cancel org/slow' }).click();
    await slow.getByText('cancelled', { exact: true }).waitFor();
    // The label of the button that is pointed at lies outside of every landmark.
    await page.mouse.move(0, 0);
    expect(await accessibilityProblems(page)).toEqual([]);
    hub.paceMs = 0;
    const before = hub.sentBytes;
    await slow.getByRole('button', { name: 'Try again org/slow' }).click();
    await card(page, 'org/slow').getByText('done', { exact: true }).waitFor();
    // It went on from where it was.
    expect(hub.sentBytes - before).toBeLessThan(9_000_000);

    await page.goto(`${site.server.url}/discover`);
    await startInstall(page, 'org/wrong');
    await page.goto(`${site.server.url}/activity`);
    const wrong = card(page, 'org/wrong');
    await wrong.getByRole('alert').getByText('SHA-256').waitFor();
    await wrong.getByText('failed', { exact: true }).waitFor();
    hub.repositories['org/wrong'] = {
      ...(hub.repositories['org/wrong'] as { files: object }),
      wrongHash: false,
    } as never;
    await wrong.getByRole('button', { name: 'Try again org/wrong' }).click();
    // The plan is what was shown, and that hash stays wrong: nothing else is brought in its place.
    await wrong.getByRole('alert').getByText('SHA-256').waitFor();
    expect(errors).toEqual([]);
    await context.close();
  });
});

describe('installed models', () => {
  it('are taken over from another application, without a copy', async () => {
    const { page, context, errors } = await site.open({ path: '/models' });
    await page.getByRole('button', { name: 'Use here elsewhere' }).click();
    await page.getByRole('row', { name: /elsewhere/ }).waitFor();
    await page.getByRole('button', { name: 'Use here elsewhere' }).waitFor({ state: 'detached' });
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(errors).toEqual([]);
    await context.close();
  });

  it('are tested and then used, pinned, and gone back from', async () => {
    site.upstream.behaviour = streams(['BANANA ', 'Warsaw ', '7391']);
    const { page, context, errors } = await site.open({ path: '/models' });
    const versions = page.getByRole('region', { name: 'Versions' });
    for (const name of ['fake-model', 'org/other']) {
      await page.getByRole('button', { name: `Actions for ${name}` }).click();
      await page.getByRole('menuitem', { name: 'Test, then use' }).click();
      await page
        .getByRole('row', { name: new RegExp(name) })
        .getByText('Active', { exact: true })
        .waitFor();
      await versions.getByText(name, { exact: true }).first().waitFor();
    }
    await versions
      .getByText(/Measured abilities: \d+ %/)
      .first()
      .click();
    await versions.getByText('Obeys the system role').first().waitFor();
    const pin = versions.getByRole('button', { name: /Pin.*org\/other/ }).first();
    await pin.click();
    await expect.poll(() => pin.getAttribute('aria-pressed')).toBe('true');
    await versions.getByRole('button', { name: 'Back to the former one' }).click();
    await page
      .getByRole('row', { name: /fake-model/ })
      .getByText('Active', { exact: true })
      .waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    site.upstream.behaviour = streams(['Hello', ' ', 'world']);
    expect(errors).toEqual([]);
    await context.close();
  });
});

describe('runtimes', () => {
  it.each([1_280, 390])('are started, read, restarted and stopped at %i pixels', async (width) => {
    const { page, context, errors } = await site.open({ path: '/runtimes', width });
    const server = card(page, 'llama.cpp server');
    await server.getByRole('button', { name: 'Start', exact: true }).click();
    await server.getByText('Online', { exact: true }).waitFor();
    const processId = async () => /PID (\d+)/.exec((await server.textContent()) ?? '')?.[1];
    const first = await processId();
    expect(first).toBeDefined();
    expect(await accessibilityProblems(page)).toEqual([]);
    await server.getByRole('button', { name: 'Logs', exact: true }).click();
    await page.getByRole('dialog').getByText('main: server is listening').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await server.getByRole('button', { name: 'Restart', exact: true }).click();
    await expect.poll(processId, { timeout: 30_000 }).not.toBe(first);
    await server.getByText('Online', { exact: true }).waitFor();
    await server.getByRole('button', { name: 'Stop', exact: true }).click();
    await server.getByText('Offline', { exact: true }).waitFor();
    expect(errors).toEqual([]);
    await context.close();
  });

  it('are switched while a conversation goes on, which ends as it began', async () => {
    const words = Array.from({ length: 40 }, (_, index) => `word${index} `);
    site.upstream.behaviour = streams(words, 60);
    const { page, context, errors } = await site.open({ path: '/' });
    await page.getByLabel('Message', { exact: true }).fill('Tell me something');
    await page.keyboard.press('Enter');
    await page.getByText('word3').first().waitFor();
    const other = await context.newPage();
    await other.goto(`${site.server.url}/runtimes`);
    await card(other, 'llama.cpp server').getByRole('button', { name: 'Use', exact: true }).click();
    await page.getByText('word39').first().waitFor();
    await card(other, 'llama.cpp server').getByText('Active', { exact: true }).waitFor();
    await card(other, 'OpenAI-compatible').getByRole('button', { name: 'Use', exact: true }).click();
    await card(other, 'OpenAI-compatible').getByText('Active', { exact: true }).waitFor();
    expect(errors).toEqual([]);
    await context.close();
  });
});
