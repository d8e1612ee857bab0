// Finding, installing and following a model as a person does, against a hub of our own.
/// <reference lib="dom" />
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { streams } from '../api/fake-upstream.js';
import { gguf } from '../stand-ins/gguf.js';
import { type FakeHub, startFakeHub } from '../stand-ins/hugging-face.js';
import { accessibilityProblems, type Site, startSite } from './page.js';

let hub: FakeHub;
let site: Site;

beforeAll(async () => {
  hub = await startFakeHub();
  hub.repositories['org/tiny-model'] = {
    files: { 'tiny-Q4_K_M.gguf': gguf({ dataBytes: 3_000_000 }) },
    license: 'mit',
  };
  site = await startSite({ HF_ENDPOINT: hub.url });
});
afterAll(async () => {
  await site.close();
  await hub.close();
});

describe('the life of a model', () => {
  it('is found, judged, installed, followed and listed', async () => {
    hub.paceMs = 20;
    const { page, context, errors } = await site.open({ path: '/discover' });
    await page.getByLabel('Search models').fill('tiny');
    await page.getByRole('button', { name: 'Install org/tiny-model' }).click();
    await page.getByText('It can be installed', { exact: true }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name: 'Install' }).click();
    await page.getByRole('link', { name: 'Activity' }).click();
    await page.getByText('org/tiny-model').waitFor();
    await page.getByText('done', { exact: true }).first().waitFor();
    // Wherever the person is by then.
    await page.getByRole('alert').getByText('Finished: Install · org/tiny-model').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByRole('link', { name: 'Models', exact: true }).click();
    await page.getByText('tiny-Q4_K_M').first().waitFor();
    await page.getByRole('button', { name: 'Actions for tiny-Q4_K_M' }).click();
    await page.getByRole('menuitem', { name: 'Details and parameters' }).click();
    await page.getByLabel('Temperature').waitFor();
    expect(errors).toEqual([]);
    await context.close();
  });

  it('is tried from its menu, and what it can do is told beside its parameters', async () => {
    const { page, context, errors } = await site.open({ path: '/models', width: 390, height: 844 });
    await page.getByRole('button', { name: 'Actions for fake-model' }).click();
    await page.getByRole('menuitem', { name: 'Try what it can do' }).click();
    const drawer = page.getByRole('dialog', { name: 'fake-model' });
    await drawer.getByText('Answers', { exact: true }).waitFor();
    await drawer.getByText('the answer was no JSON').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    const asked = site.upstream.requests.length;
    await drawer.getByRole('button', { name: 'Try what it can do' }).click();
    await expect.poll(() => site.upstream.requests.length).toBeGreaterThan(asked + 5);
    site.upstream.behaviour = (_body, response) => void response.writeHead(500).end('{}');
    await drawer.getByRole('button', { name: 'Try what it can do' }).click();
    await drawer.getByRole('alert').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    site.upstream.behaviour = streams(['Hello', ' ', 'world']);
    expect(errors).toEqual([]);
    await context.close();
  });

  it('lists files of this machine and packages of the Python index beside the hubs', async () => {
    const { page, context, errors } = await site.open({ path: '/discover' });
    await page.getByRole('radiogroup', { name: 'Source' }).getByText('Python index').click();
    await page.getByRole('button', { name: 'Install gemma-3-270m-q4_k_m' }).click();
    await page.getByText('Licence: gemma').waitFor();
    await page.getByText('Its checksum is known and will be verified.').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('radiogroup', { name: 'Source' }).getByText('This machine').click();
    await page.getByRole('article').getByText('installed', { exact: true }).first().waitFor();
    expect(errors).toEqual([]);
    await context.close();
  });

  it('takes another source on a narrow screen, too', async () => {
    const { page, context, errors } = await site.open({ path: '/discover', width: 390, height: 844 });
    await page.getByRole('combobox', { name: 'Source' }).selectOption('Python index');
    await page.getByRole('button', { name: 'Install gemma-3-270m-q4_k_m' }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(errors).toEqual([]);
    await context.close();
  });

  it.each([1_280, 390])('its pages are clean for axe at %i pixels', async (width) => {
    for (const path of ['/discover', '/activity', '/runtimes', '/models']) {
      const { page, context } = await site.open({ path, width });
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page
        .getByRole('status')
        .first()
        .waitFor({ state: 'detached' })
        .catch(() => {});
      expect(await accessibilityProblems(page)).toEqual([]);
      await context.close();
    }
  });

  it('says so when the hub is gone', async () => {
    await hub.close();
    const { page, context } = await site.open({ path: '/discover' });
    await page.getByLabel('Search models').fill('something else');
    await page.getByText('The source could not be asked.').waitFor();
    await context.close();
  });
});
