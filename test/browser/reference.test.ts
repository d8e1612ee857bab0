// The API reference as a reader uses it: found, opened, tried, on a phone and by link; without anything from elsewhere.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { accessibilityProblems, type Site, startSite } from './page.js';

let site: Site;
const opened: { context: { close(): Promise<void> } }[] = [];

beforeAll(async () => {
  site = await startSite();
});
afterAll(() => site.close());
beforeEach(async () => {
  for (const { context } of opened.splice(0)) await context.close();
});

async function open(options: Parameters<Site['open']>[0] = {}) {
  const site_ = await site.open({ path: '/docs', ...options });
  opened.push(site_);
  const { page } = site_;
  await page.getByRole('heading', { level: 1, name: 'API reference' }).waitFor();
  const operation = (name: string) => page.getByRole('button', { name });
  return { ...site_, operation };
}

describe('the API reference', () => {
  it('is linked from the System page, and where the original had a second one', async () => {
    const { page, errors } = await open({ path: '/redoc' });
    expect(new URL(page.url()).pathname).toBe('/docs');
    await page.goto(`${site.server.url}/system`);
    await page.getByRole('link', { name: 'API reference' }).click();
    await expect.poll(() => page.getByRole('status').first().textContent()).toMatch(/^(\d+) of \1 operations$/);
    expect(errors).toEqual([]);
  });

  it('loads nothing from elsewhere', async () => {
    const { page } = await open();
    const elsewhere: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(site.server.url)) elsewhere.push(request.url());
    });
    await page.reload();
    await page.getByRole('heading', { level: 2, name: 'Tasks' }).waitFor();
    expect(elsewhere).toEqual([]);
  });

  it('finds an operation by words, and shows what it takes and answers', async () => {
    const { page, operation } = await open();
    await page.getByLabel('Search operations').fill('feedback thumbs');
    await expect.poll(() => page.getByRole('status').first().textContent()).toMatch(/^1 of/);
    await operation('POST /api/v1/feedback').click();
    const rating = page.getByRole('listitem').filter({ hasText: 'rating' }).first();
    await expect.poll(() => rating.textContent()).toContain('required');
    await page.getByText('A wrong form').click();
    await expect.poll(() => page.getByText('loc', { exact: true }).isVisible()).toBe(false);
    await page.getByText('Members of detail').click();
    await page.getByText('loc', { exact: true }).waitFor();
    await page.getByLabel('Search operations').fill('nobody knows this');
    await page.getByText('No operation is called so.').waitFor();
  });

  it('sends what was filled in, shows the line of curl for it and what came back', async () => {
    const { page, operation } = await open();
    await operation('GET /api/v1/history/requests Requests so far').click();
    const form = page.getByRole('form', { name: 'Try GET /api/v1/history/requests' });
    await form.getByLabel('limit').fill('x');
    await expect.poll(() => form.textContent()).toContain('/api/v1/history/requests?limit=x');
    await form.getByRole('button', { name: 'Send' }).click();
    await expect.poll(() => form.getByRole('status').textContent()).toContain('int_parsing');
    await expect.poll(() => form.getByRole('status').textContent()).toContain('422');
    await form.getByLabel('limit').fill('5');
    await form.getByRole('button', { name: 'Send' }).click();
    await expect.poll(() => form.getByRole('status').textContent()).toContain('200');
  });

  it('asks for what an address needs, and streams', async () => {
    const { page, operation } = await open();
    await operation('GET /api/v1/tasks/{task_id} One task').click();
    const read = page.getByRole('form', { name: 'Try GET /api/v1/tasks/{task_id}' });
    await expect.poll(() => read.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true);
    await read.getByLabel('task_id').fill('00000000-0000-4000-8000-000000000000');
    await read.getByRole('button', { name: 'Send' }).click();
    await expect.poll(() => read.getByRole('status').textContent()).toContain('task_not_found');
    await operation('POST /api/v1/llm/simple/stream Ask directly').click();
    const ask = page.getByRole('form', { name: 'Try POST /api/v1/llm/simple/stream' });
    await expect.poll(() => ask.getByLabel('Body').inputValue()).toContain('"content": "What is a lighthouse?"');
    await ask.getByRole('button', { name: 'Send' }).click();
    await expect.poll(() => ask.getByRole('status').textContent()).toContain('event: done');
  });

  it('leads to one operation by its address', async () => {
    const { page } = await open({ path: '/docs?operation=post_v1_messages' });
    const form = page.getByRole('form', { name: 'Try POST /v1/messages' });
    await form.waitFor();
    await expect.poll(() => page.getByRole('button', { name: 'POST /v1/messages Message' }).isVisible()).toBe(true);
    await form.getByRole('button', { name: 'Send' }).click();
    await expect.poll(() => form.getByRole('status').textContent()).toMatch(/"type": "(message|error)"/);
  });

  it.each([
    [1_280, 'light', 'en', 'API reference'],
    [390, 'dark', 'pl', 'Dokumentacja API'],
    [390, 'light', 'de', 'API-Referenz'],
  ] as const)(
    'is clean for axe and no wider than %i pixels in the %s scheme, in %s',
    async (width, colorScheme, language, title) => {
      const { page } = await open({ width, colorScheme });
      await page.evaluate((chosen) => localStorage.setItem('venom.language', chosen), language);
      await page.goto(`${site.server.url}/docs?operation=post_api_v1_tasks`);
      await page.getByRole('heading', { level: 1, name: title }).waitFor();
      await page.getByRole('form').waitFor();
      for (const part of await page.locator('details > summary').all()) await part.click();
      expect(await accessibilityProblems(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      if (process.env['SHOTS'])
        await page.screenshot({ path: `${process.env['SHOTS']}/${width}-${colorScheme}-${language}.png` });
    },
  );
});
