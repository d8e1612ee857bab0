// The UI as a person uses it.
/// <reference lib="dom" />
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { streams } from '../api/fake-upstream.js';
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

describe('chat', () => {
  it('asks before a tool changes something, and goes on after a yes', async () => {
    let called = false;
    site.upstream.behaviour = (body, response) => {
      const format = body['response_format'] as { json_schema?: { schema: { properties: object } } } | undefined;
      if (!format) return streams(['Written.'])(body, response);
      if (!('tool' in (format.json_schema?.schema.properties ?? {})))
        return streams(['{"file_path":"hello.txt","content":"hello"}'])(body, response);
      const tool = called ? 'none' : 'file__write_file';
      called = true;
      return streams([JSON.stringify({ tool })])(body, response);
    };
    const { page, ask, answer, errors } = await open();
    await page.getByText('Normal', { exact: true }).click();
    await ask('/file Write hello into hello.txt');
    const card = page.getByRole('group', { name: 'write file waits for your yes' });
    await card.getByText('changes something').waitFor();
    await card.getByText('file__write_file').waitFor();
    await card.getByText('file_path', { exact: true }).waitFor();
    await card.getByText('hello.txt', { exact: true }).waitFor();
    const problems = await accessibilityProblems(page);
    expect(problems.filter((problem) => !problem.includes('<textarea'))).toEqual([]);
    await card.getByRole('button', { name: 'Allow once' }).click();
    await answer.getByText('Written.').waitFor();
    await card.waitFor({ state: 'detached' });
    expect(errors).toEqual([]);
  });

  it('answers, shows its figures, and lists the conversation', async () => {
    const { page, ask, answer, errors } = await open();
    await ask('Hi there');
    await answer.getByText('Hello world').waitFor();
    await page.getByTestId('figures').getByText('to first token').waitFor();
    await page.getByRole('link', { name: 'Hi there' }).waitFor();
    expect(page.url()).toMatch(/\/chat\/session-\d+-[0-9a-f]{8}$/);
    expect(errors).toEqual([]);
  });

  it('says under an answer what it ran with, and what was left out', async () => {
    const { page, ask, answer } = await open();
    await page.evaluate(() => localStorage.setItem('venom.parameters', '{"temperature":0.4}'));
    await page.reload();
    await ask('With parameters');
    await answer.getByText('Hello world').waitFor();
    await page.getByRole('button', { name: 'How it was generated' }).click();
    const popover = page.getByRole('dialog', { name: 'How it was generated' });
    await popover.getByText('openai-compatible ran fake-model with').waitFor();
    await popover.getByRole('row', { name: 'temperature 0.4' }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  it('comes back to an answer that is being written after a reload, and loses nothing', async () => {
    const tokens = Array.from({ length: 60 }, (_, index) => `w${index} `);
    site.upstream.behaviour = streams(tokens, 40);
    const { page, ask, answer } = await open();
    await ask('Count');
    await answer.getByText(/w8/).waitFor();
    await page.reload();
    await answer.getByText(/w59/).waitFor();
    await page.getByRole('button', { name: 'Regenerate' }).waitFor();
    expect(((await answer.locator('.prose').textContent()) ?? '').trim()).toBe(tokens.join('').trim());
    expect(site.upstream.requests.filter((body) => JSON.stringify(body).includes('Count'))).toHaveLength(1);
  });

  it('stops with Escape, down to the engine, and keeps what was written', async () => {
    site.upstream.behaviour = streams(
      Array.from({ length: 1_000 }, () => 'more '),
      20,
    );
    const { page, ask, answer } = await open();
    await ask('Go on');
    await answer.getByText(/more more/).waitFor();
    await page.getByLabel('Message', { exact: true }).press('Escape');
    await page.getByText('You stopped this answer.').waitFor();
    await expect.poll(() => site.upstream.open()).toBe(0);
  });

  it('regenerates, and resends an edited question', async () => {
    const { page, ask, answer } = await open();
    await ask('First question');
    await answer.getByText('Hello world').waitFor();
    site.upstream.behaviour = streams(['Second', ' thought']);
    await page.getByRole('button', { name: 'Regenerate' }).click();
    await answer.getByText('Second thought').waitFor();
    await page.getByRole('button', { name: 'Edit and resend' }).click();
    await page.getByRole('textbox', { name: 'Edit and resend' }).fill('Better question');
    site.upstream.behaviour = streams(['Third', ' answer']);
    await page.getByRole('button', { name: 'Resend', exact: true }).click();
    await answer.getByText('Third answer').waitFor();
    await page.getByRole('button', { name: 'Regenerate' }).waitFor();
    await expect.poll(() => page.getByRole('article').count()).toBe(2);
    expect(await page.getByText('First question').count()).toBeLessThanOrEqual(1);
  });

  it('renders no script, picture or unsafe link of an answer', async () => {
    site.upstream.behaviour = streams([
      '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script> ![pixel](https://evil.example/p.png) [click](javascript:window.hacked=1) **bold**',
    ]);
    const { page, ask, answer } = await open();
    await ask('Attack');
    await answer.getByText('bold').waitFor();
    expect(await answer.locator('strong').evaluate((element) => getComputedStyle(element).fontWeight)).toMatch(
      /^[67]00$/,
    );
    await page.getByRole('button', { name: 'Regenerate' }).waitFor();
    expect(await answer.locator('img, script, a[href^="javascript"]').count()).toBe(0);
    expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
  });

  it('copies code', async () => {
    site.upstream.behaviour = streams(['```python\nprint(1)\n```']);
    const { page, context, ask } = await open();
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await ask('Code');
    await page.getByRole('button', { name: 'Regenerate' }).waitFor();
    await page.locator('.code-head').getByRole('button', { name: 'Copy' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('print(1)');
  });

  it('says why an answer failed', async () => {
    site.upstream.behaviour = (_body, response) =>
      void response.writeHead(500).end('{"error":{"message":"out of order"}}');
    const { page, ask } = await open();
    await ask('Fail');
    await page
      .getByText(/out of order/)
      .first()
      .waitFor();
  });
});

describe('conversations', () => {
  it('are renamed, searched and deleted', async () => {
    const { page, ask, answer } = await open();
    await ask('About penguins');
    await answer.getByText('Hello world').waitFor();
    await page.getByRole('button', { name: 'Actions for About penguins' }).click();
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Birds');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('link', { name: 'Birds' }).waitFor();
    await page.keyboard.press('ControlOrMeta+k');
    await page.keyboard.type('penguins');
    await page.getByRole('link', { name: 'Birds' }).waitFor();
    await page.getByLabel('Search conversations').fill('nothing like it');
    await page.getByText('Nothing found.').waitFor();
    await page.getByLabel('Search conversations').fill('');
    await page.getByRole('button', { name: 'Actions for Birds' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('link', { name: 'Birds' }).waitFor({ state: 'detached' });
  });
});

describe('every page', () => {
  it.each(['light', 'dark'] as const)('has no accessibility problem in the %s scheme', async (colorScheme) => {
    const { page, ask, answer } = await open({ colorScheme });
    await ask('Hi');
    await answer.getByText('Hello world').waitFor();
    await page.getByRole('button', { name: 'Regenerate' }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByRole('link', { name: 'Models' }).click();
    await page.getByText('fake-model').first().waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByRole('link', { name: 'System' }).click();
    await page.getByText('VENOM_DATA_DIR').first().waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  it.each(['/', '/models', '/system'])('fits a phone: %s', async (path) => {
    const { page } = await open({ path, width: 390, height: 844 });
    await page.getByRole('button', { name: 'Menu' }).waitFor();
    await page.waitForTimeout(500);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  });

  it('speaks Polish and German', async () => {
    const { page } = await open();
    for (const [language, chat] of [
      ['Polski', 'Nowy czat'],
      ['Deutsch', 'Neuer Chat'],
    ] as const) {
      await page.getByRole('button', { name: /Language|Język|Sprache/ }).click();
      await page.getByRole('menuitem', { name: language }).click();
      await page.getByRole('button', { name: chat }).waitFor();
    }
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('de');
  });
});
