// What people expect of a chat beside its answers: drafts, files, pins, instructions, keys, and a page that says when the
// server is away.
/// <reference lib="dom" />
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { streams } from '../api/fake-upstream.js';
import { startServer } from '../api/server.js';
import { accessibilityProblems, chatOn, type Site, startSite } from './page.js';

let site: Site;
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  site = await startSite();
});
beforeEach(() => {
  site.upstream.behaviour = streams(['Hello', ' ', 'world']);
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
afterAll(() => site.close());

async function open(options?: Parameters<Site['open']>[0]) {
  const opened = await site.open(options);
  closers.push(() => opened.context.close());
  return { ...opened, ...chatOn(opened.page) };
}
const lastMessages = () => (site.upstream.requests.at(-1)?.['messages'] ?? []) as { role: string; content: string }[];
const lastQuestion = (): string => lastMessages().at(-1)?.content ?? '';
const lastSystem = (): string =>
  lastMessages()
    .filter(({ role }) => role === 'system')
    .map(({ content }) => content)
    .join('\n');

describe('a draft', () => {
  it('is there after a reload, belongs to its conversation, and goes when it is sent', async () => {
    const { page, field, ask, answer } = await open();
    await field.fill('Half a thought');
    await page.reload();
    await expect.poll(() => field.inputValue()).toBe('Half a thought');
    await ask('A whole thought');
    await answer.getByText('Hello world').waitFor();
    expect(await field.inputValue()).toBe('');
    await page.getByRole('button', { name: 'New chat' }).click();
    await page.getByText('What would you like to know?').waitFor();
    expect(await field.inputValue()).toBe('');
  });
});

describe('a text file', () => {
  it('goes along with its name in a fence of its own', async () => {
    const { page, ask, answer } = await open();
    await page.locator('input[type=file]').setInputFiles({
      name: 'notes.md',
      mimeType: 'text/markdown',
      buffer: Buffer.from('# Notes\n```js\n1\n```\n'),
    });
    await page.getByText('notes.md').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await ask('What is in it?');
    await answer.getByText('Hello world').waitFor();
    expect(lastQuestion()).toBe('What is in it?\n\nnotes.md\n````md\n# Notes\n```js\n1\n```\n````');
  });
});

describe('a conversation', () => {
  it('is pinned above newer ones, and let go', async () => {
    const { page, ask, answer } = await open();
    await ask('Older one to pin');
    await answer.getByText('Hello world').waitFor();
    await page.getByRole('button', { name: 'Regenerate' }).waitFor();
    await page.getByRole('button', { name: 'New chat' }).click();
    await ask('Newer one');
    await page.getByRole('link', { name: 'Newer one' }).waitFor();
    const first = page.locator('.session-row').first();
    await first.getByText('Newer one').waitFor();
    await page.getByRole('button', { name: 'Actions for Older one to pin' }).click();
    await page.getByRole('menuitem', { name: 'Pin to the top' }).click();
    await first.getByText('Older one to pin').waitFor();
    await page.getByText('Pinned', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Actions for Older one to pin' }).click();
    await page.getByRole('menuitem', { name: 'Unpin' }).click();
    await first.getByText('Newer one').waitFor();
  });

  it('has instructions, from its first message on, which can be changed', async () => {
    const { page, ask, answer } = await open();
    const settings = page.getByRole('button', { name: 'Instructions and parameters' });
    await settings.click();
    await page.getByLabel('Instructions for this conversation').fill('Speak like a pirate.');
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await ask('Who are you?');
    await answer.getByText('Hello world').waitFor();
    expect(lastSystem()).toContain('Speak like a pirate.');
    await page.getByRole('button', { name: 'Regenerate' }).waitFor();
    await settings.click();
    const kept = page.getByLabel('Instructions for this conversation');
    await expect.poll(() => kept.inputValue()).toBe('Speak like a pirate.');
    await kept.fill('Speak plainly.');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect.poll(() => page.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
    await page.keyboard.press('Escape');
    await ask('And now?');
    await answer.nth(1).getByText('Hello world').waitFor();
    expect(lastSystem()).toMatch(/Speak plainly\.$/);
  });

  it('asks again just what was not acknowledged, so that it is never asked twice', async () => {
    const { page, ask, answer } = await open();
    await page.getByRole('button', { name: 'Instructions and parameters' }).click();
    await page.getByLabel('Instructions for this conversation').fill('Speak like a pirate.');
    await page.keyboard.press('Escape');
    const sent: { key: string | undefined; body: string | null }[] = [];
    await page.route('**/api/v1/llm/simple/stream', (route) => {
      const request = route.request();
      sent.push({ key: request.headers()['idempotency-key'], body: request.postData() });
      if (sent.length > 1) return route.continue();
      return route.fulfill({ status: 507, json: { code: 'insufficient_storage', detail: 'The disk is full.' } });
    });
    await ask('Who are you?');
    await page.getByText(/The disk is full/).waitFor();
    await page.getByRole('button', { name: 'Try again' }).click();
    await answer.getByText('Hello world').waitFor();
    expect(sent).toHaveLength(2);
    expect(sent[1]).toEqual(sent[0]);
    expect(sent[0]?.key).toMatch(/^[0-9a-f]{32}$/);
    expect(lastSystem()).toContain('Speak like a pirate.');
  });

  it('asks another model for the same answer', async () => {
    const { page, ask, answer } = await open();
    await ask('Whoever you are');
    await answer.getByText('Hello world').waitFor();
    site.upstream.behaviour = streams(['Another', ' view']);
    await page.getByRole('button', { name: 'Other ways to ask again' }).click();
    await page.getByRole('menuitem', { name: 'org/other' }).click();
    await answer.getByText('Another view').waitFor();
    expect(site.upstream.requests.at(-1)?.['model']).toBe('org/other');
  });

  it('asks another model of a task for this one answer, and the active one for the next', async () => {
    const { page, ask, answer } = await open();
    await page.getByRole('radiogroup').getByText('Normal', { exact: true }).click();
    await ask('Tell me whoever you are today');
    await answer.getByText('Hello world').waitFor();
    site.upstream.behaviour = streams(['Another', ' view']);
    await page.getByRole('button', { name: 'Other ways to ask again' }).click();
    await page.getByRole('menuitem', { name: 'org/other' }).click();
    await answer.getByText('Another view').waitFor();
    await page.getByRole('button', { name: 'Regenerate' }).waitFor();
    expect(site.upstream.requests.at(-1)?.['model']).toBe('org/other');
    expect(await page.getByRole('combobox', { name: 'Model' }).inputValue()).toBe('fake-model');
    await ask('And who are you now, please?');
    await answer.nth(1).getByText('Another view').waitFor();
    expect(site.upstream.requests.at(-1)?.['model']).toBe('fake-model');
  });

  it('asks again with another temperature, for this answer alone', async () => {
    const { page, ask, answer } = await open();
    await ask('Something new');
    await answer.getByText('Hello world').waitFor();
    await page.getByRole('button', { name: 'Other ways to ask again' }).click();
    site.upstream.behaviour = streams(['Quite', ' other']);
    await page.getByRole('menuitem', { name: /^More varied/ }).click();
    await answer.getByText('Quite other').waitFor();
    expect(site.upstream.requests.at(-1)?.['temperature']).toBe(1.2);
    await page.getByRole('button', { name: 'Regenerate' }).click();
    await expect.poll(() => site.upstream.requests.at(-1)?.['temperature']).not.toBe(1.2);
  });

  it('keeps question and answer where they cannot be taken back', async () => {
    const { page, ask, answer } = await open();
    await ask('Whoever you are');
    await answer.getByText('Hello world').waitFor();
    await page.route('**/api/v1/sessions/*/truncate', (route) =>
      route.fulfill({ status: 500, json: { code: 'internal', detail: 'It is not to be.' } }),
    );
    await page.getByRole('button', { name: 'Regenerate' }).click();
    await page.getByText('It is not to be.').waitFor();
    await answer.getByText('Hello world').waitFor();
    await page.getByRole('button', { name: 'Regenerate' }).waitFor();
  });

  it('leaves the reader where he scrolled to while it grows, and brings him back to the end', async () => {
    site.upstream.behaviour = streams(
      Array.from({ length: 400 }, (_, index) => `line ${index}\n\n`),
      15,
    );
    const { page, ask, answer } = await open();
    await ask('Count for long');
    await answer.getByText('line 60', { exact: true }).waitFor();
    await page.locator('.chat-scroll').hover();
    await page.mouse.wheel(0, -900);
    const end = page.getByRole('button', { name: 'To the newest message' });
    await end.waitFor();
    const place = () => page.locator('.chat-scroll').evaluate((element) => element.scrollTop);
    const before = await place();
    await answer.getByText('line 120', { exact: true }).waitFor({ state: 'attached' });
    expect(Math.abs((await place()) - before)).toBeLessThan(5);
    await end.click();
    await end.waitFor({ state: 'detached' });
    await page.getByLabel('Message', { exact: true }).press('Escape');
  });

  it('says so where there is none of that address', async () => {
    const { page } = await open({ path: '/chat/no-such-conversation' });
    await page.getByText('This conversation does not exist any more.').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
  });
});

describe('the page', () => {
  it('lists its keys, and Escape closes the list before it stops anything', async () => {
    site.upstream.behaviour = streams(
      Array.from({ length: 5_000 }, () => 'more '),
      20,
    );
    const { page, ask, answer } = await open();
    await ask('Go on');
    await answer.getByText(/more more/).waitFor();
    await page.getByRole('button', { name: 'Shortcuts' }).click();
    const dialog = page.getByRole('dialog', { name: 'Shortcuts' });
    await dialog.getByText('Begin a new chat').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Stop' }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Shortcuts');
    await page.getByLabel('Message', { exact: true }).press('Escape');
    await page.getByText('You stopped this answer.').waitFor();
  });

  it('says that an address is none of its own', async () => {
    const { page } = await open({ path: '/nothing/here' });
    await page.getByRole('heading', { name: 'This page does not exist' }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  it('says that the server is away, and is itself again when it is back', async () => {
    const own = await startSite();
    try {
      const { page } = await own.open();
      const { port } = new URL(own.server.url);
      await page.getByLabel('Message', { exact: true }).fill('Typed before');
      await own.server.close({ keepData: true });
      await page.getByText(/^Venom does not answer\./).waitFor();
      expect(await accessibilityProblems(page)).toEqual([]);
      expect(await page.getByLabel('Message', { exact: true }).inputValue()).toBe('Typed before');
      const back = await startServer(
        { LLM_LOCAL_ENDPOINT: own.upstream.url },
        own.server.dataDir,
        {},
        {},
        Number(port),
      );
      try {
        await page
          .getByRole('button', { name: 'Try now' })
          .click({ timeout: 5_000 })
          .catch(() => undefined);
        await page.getByText(/^Venom does not answer\./).waitFor({ state: 'detached' });
      } finally {
        await back.close();
      }
    } finally {
      await own.browser.close();
      await own.upstream.close();
    }
  });
});
