// Discover as a person uses it: what fits, filters that a link keeps, tags of Ollama's library, a source that is gone.
/// <reference lib="dom" />
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gguf } from '../stand-ins/gguf.js';
import { type FakeHub, startFakeHub } from '../stand-ins/hugging-face.js';
import { type FakeOllama, startFakeOllama } from '../stand-ins/ollama.js';
import { type FakeLibrary, startFakeLibrary } from '../stand-ins/ollama-library.js';
import { accessibilityProblems, type Site, startSite } from './page.js';

let hub: FakeHub;
let library: FakeLibrary;
let ollama: FakeOllama;
let site: Site;

beforeAll(async () => {
  hub = await startFakeHub();
  library = await startFakeLibrary();
  ollama = await startFakeOllama();
  const file = { 'model-Q4_K_M.gguf': gguf({ dataBytes: 3_000 }) };
  hub.repositories['org/small-1B-GGUF'] = { files: file, tags: ['gguf', 'license:apache-2.0'], parameters: 1e9 };
  hub.repositories['org/huge-900B-GGUF'] = { files: file, tags: ['gguf', 'license:llama3.1'], parameters: 900e9 };
  hub.repositories['org/silent-GGUF'] = { files: file, tags: ['gguf'] };
  hub.repositories['org/served-7B'] = { files: { 'model.safetensors': Buffer.alloc(8) }, tags: ['license:mit'] };
  library.models['llama3.2'] = {
    abilities: ['tools'],
    sizes: ['1b', '3b'],
    tags: { latest: '2.0GB', '1b': '1.3GB', '3b-q8_0': '3.4GB' },
  };
  site = await startSite({
    HF_ENDPOINT: hub.url,
    OLLAMA_LIBRARY_ENDPOINT: library.url,
    OLLAMA_ENDPOINT: ollama.url,
    ACTIVE_LLM_SERVER: 'openai-compatible',
  });
});
afterAll(async () => {
  await site.close();
  await ollama.close();
  await hub.close();
  await library.close();
});

const card = (page: Page, name: string) => page.getByRole('article', { name, exact: true });
const fitOf = (page: Page, name: string) => card(page, name).getByRole('button', { name: `Does ${name} fit here?` });

describe('Discover', () => {
  it('says of every model whether it fits, and how that is known', async () => {
    const { page, context, errors } = await site.open({ path: '/discover' });
    await expect.poll(() => fitOf(page, 'org/small-1B-GGUF').textContent()).toContain('fits');
    await expect.poll(() => fitOf(page, 'org/huge-900B-GGUF').textContent()).toBe('≈ does not fit');
    await expect.poll(() => fitOf(page, 'org/served-7B').textContent()).toBe('needs a GPU');
    await card(page, 'gemma-3-270m-q4_k_m').waitFor();
    // The listing says nothing of it: its card is in sight, so its header is read.
    await expect.poll(() => fitOf(page, 'org/silent-GGUF').getAttribute('data-basis')).toBe('header');
    expect(await accessibilityProblems(page)).toEqual([]);
    await fitOf(page, 'org/huge-900B-GGUF').click();
    const explained = page.getByRole('dialog');
    await explained.getByText('It needs more memory than is free.').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    // Whoever wants to know it precisely is told by the header, which here is of a much smaller file.
    await explained.getByRole('button', { name: 'Read its header' }).click();
    await expect.poll(() => fitOf(page, 'org/huge-900B-GGUF').textContent()).toBe('fits well');
    await page.keyboard.press('Escape');
    expect(errors).toEqual([]);
    await context.close();
  });

  it('keeps its filters in the address, over a reload and the way back', async () => {
    const { page, context, errors } = await site.open({ path: '/discover' });
    await card(page, 'org/served-7B').waitFor();
    await page.getByText('Fits here', { exact: true }).click();
    await card(page, 'org/served-7B').waitFor({ state: 'detached' });
    await page.getByRole('combobox', { name: 'Licence' }).selectOption('Permissive');
    await page.getByRole('combobox', { name: 'Order' }).selectOption('Smallest first');
    await card(page, 'gemma-3-270m-q4_k_m').waitFor({ state: 'detached' });
    await card(page, 'org/small-1B-GGUF').waitFor();
    const { searchParams } = new URL(page.url());
    expect(Object.fromEntries(searchParams)).toEqual({ fits: 'true', licence: 'permissive', sort: 'size' });
    await page.reload();
    await card(page, 'org/small-1B-GGUF').waitFor();
    expect(await page.getByRole('checkbox', { name: 'Fits here' }).isChecked()).toBe(true);
    expect(await page.getByRole('combobox', { name: 'Licence' }).inputValue()).toBe('permissive');
    expect(await page.getByRole('article').count()).toBe(2);
    await page.goBack();
    await page.goBack();
    await card(page, 'gemma-3-270m-q4_k_m').waitFor();
    await page.goForward();
    await card(page, 'gemma-3-270m-q4_k_m').waitFor({ state: 'detached' });
    await page.getByLabel('Search models').fill('huge');
    await page.getByText('Nothing matches these filters.').waitFor();
    expect(new URL(page.url()).searchParams.get('q')).toBe('huge');
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await card(page, 'org/huge-900B-GGUF').waitFor();
    expect(await page.getByRole('article').count()).toBe(1);
    expect(errors).toEqual([]);
    await context.close();
  });

  it('makes nothing of an address that is none', async () => {
    const { page, context, errors } = await site.open({ path: '/discover?licence=free&sort=9&max=a&source=x&tab=y' });
    await card(page, 'org/small-1B-GGUF').waitFor();
    expect(errors).toEqual([]);
    await context.close();
  });

  it("offers the tags of Ollama's library, and takes a typed one where nobody lists them", async () => {
    const { page, context, errors } = await site.open({ path: '/discover?source=ollama&q=llama' });
    await page.getByRole('button', { name: 'Install llama3.2' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('combobox', { name: 'Variant' }).click();
    expect(await page.getByRole('listbox').getByRole('option').allInnerTexts()).toEqual([
      '1b · 1.3 GB',
      'latest · 2 GB · usual choice',
      '3b-q8_0 · 3.4 GB',
    ]);
    await page.getByRole('option', { name: /^1b/ }).click();
    await dialog.getByText('llama3.2:1b', { exact: true }).waitFor();
    await dialog.getByText('1.3 GB of', { exact: false }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    library.models['unlisted'] = { tags: {} };
    await page.getByLabel('Search models').fill('unlisted');
    await page.getByRole('button', { name: 'Install unlisted' }).click();
    await page.getByRole('dialog').getByRole('textbox', { name: 'Variant' }).fill('7b');
    await page.getByRole('dialog').getByText('unlisted:7b', { exact: true }).waitFor();
    expect(errors).toEqual([]);
    await context.close();
  });

  it('fits a narrow screen', async () => {
    const { page, context, errors } = await site.open({ path: '/discover?fits=true', width: 390, height: 844 });
    await card(page, 'org/small-1B-GGUF').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    expect(errors).toEqual([]);
    await context.close();
  });

  it('shows the other sources while one is gone, and says which', async () => {
    library.intercept = (_path, response) => response.writeHead(503).end().writableEnded;
    const { page, context } = await site.open({ path: '/discover?q=small' });
    await card(page, 'org/small-1B-GGUF').waitFor();
    await page.getByRole('alert').getByText('Ollama: The source could not be asked.').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    library.intercept = () => false;
    library.models['small-talk'] = { tags: {} };
    await expect
      .poll(
        async () => {
          const again = page.getByRole('button', { name: 'Try again' });
          if (await again.isVisible()) await again.click().catch(() => {});
          return card(page, 'small-talk').isVisible();
        },
        { interval: 1_000, timeout: 30_000 },
      )
      .toBe(true);
    await context.close();
  });
});
