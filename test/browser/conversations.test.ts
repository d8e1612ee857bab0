// A conversation as it grows: found in, branched, changed from the keyboard, copied out and in, deleted with others; and what
// its answers look like.
/// <reference lib="dom" />
import { readFileSync } from 'node:fs';
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

/** A conversation that was not asked here, and how to get to it. */
async function brought(id: string, title: string, messages: { role: string; content: string }[]): Promise<string> {
  const response = await fetch(`${site.server.url}/api/v1/sessions/import`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ session_id: id, title, messages }),
  });
  expect(response.status).toBe(201);
  return `/chat/${id}`;
}
const dialogue = (turns: number, answer: (turn: number) => string) =>
  Array.from({ length: turns }, (_, turn) => [
    { role: 'user', content: `Question ${turn}` },
    { role: 'assistant', content: answer(turn) },
  ]).flat();

describe('an answer', () => {
  it('shows formulas as formulas, and money as money', async () => {
    site.upstream.behaviour = streams([
      'It costs $5 or $10. With $x^2 + 1 = 0$ and \\(y_1\\):\n\n\\[ \\frac{a}{b} \\]\n\nIn code: `$a_b$`',
    ]);
    const { page, ask, answer, errors } = await open();
    await ask('Show a formula');
    await page.getByRole('button', { name: 'Regenerate' }).waitFor();
    await expect.poll(() => answer.locator('.katex').count()).toBe(3);
    await expect.poll(() => answer.locator('.katex-display').count()).toBe(1);
    await answer.getByText('It costs $5 or $10.').waitFor();
    await answer.getByText('$a_b$').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('keeps the lines a model ended', async () => {
    site.upstream.behaviour = streams(['Salt wind on the pier.\nA gull holds still.  \nThe sea goes.']);
    const { page, ask, answer } = await open();
    await ask('A haiku');
    await page.getByRole('button', { name: 'Regenerate' }).waitFor();
    const [height, line] = await answer
      .locator('.prose p')
      .evaluate((element) => [
        element.getBoundingClientRect().height,
        Number.parseFloat(getComputedStyle(element).lineHeight),
      ]);
    expect(Math.round((height ?? 0) / (line ?? 1))).toBe(3);
  });

  it('hands its code out as a file', async () => {
    site.upstream.behaviour = streams(['```python\nprint(1)\n```']);
    const { page, ask } = await open();
    await ask('Code');
    await page.getByRole('button', { name: 'Regenerate' }).waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download this code' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('code.py');
    expect(readFileSync(await download.path(), 'utf8')).toBe('print(1)');
  });

  it('is announced when it begins and once when it is complete, not word by word', async () => {
    site.upstream.behaviour = streams(
      Array.from({ length: 30 }, (_, index) => `w${index} `),
      30,
    );
    const { page, ask, answer } = await open();
    await page.evaluate(() => {
      const said: string[] = [];
      Object.assign(globalThis, { said });
      new MutationObserver(() => {
        for (const region of document.querySelectorAll('[aria-live="polite"]')) {
          const text = region.textContent ?? '';
          if (text !== '' && !said.includes(text)) said.push(text);
        }
      }).observe(document.body, { subtree: true, childList: true, characterData: true });
    });
    await ask('Count');
    await answer.getByText(/w29/).waitFor();
    await page.getByRole('button', { name: 'Regenerate' }).waitFor();
    expect(await page.getByRole('log', { name: 'Conversation' }).getAttribute('aria-live')).toBe('off');
    const said = () => page.evaluate(() => (globalThis as unknown as { said: string[] }).said);
    await expect.poll(async () => (await said()).at(-1)).toMatch(/^The answer is complete: w0 w1 .*w29/);
    expect((await said()).filter((text) => /w\d/.test(text))).toHaveLength(1);
    expect(await said()).toContain('The answer is being written.');
  });

  it('says what can be done where there is none', async () => {
    site.upstream.behaviour = (_body, response) =>
      void response.writeHead(500).end('{"error":{"message":"out of order"}}');
    const { page, ask, answer } = await open();
    await ask('Fail');
    await answer.getByText(/out of order/).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await answer.getByRole('link', { name: 'Look at the engines' }).click();
    await page.getByRole('heading', { level: 1, name: 'Runtimes' }).waitFor();
  });

  it('has the time it was given at', async () => {
    const { page, ask, answer } = await open();
    await ask('When?');
    await page.getByRole('button', { name: 'Regenerate' }).waitFor();
    const at = await answer.locator('time').getAttribute('datetime');
    expect(Math.abs(Date.now() - Date.parse(at ?? ''))).toBeLessThan(60_000);
  });
});

describe('a conversation', () => {
  it('is searched to its beginning, with the keyboard', async () => {
    const path = await brought('long-one', 'Long one', [
      { role: 'user', content: 'Where does the heron stand?' },
      { role: 'assistant', content: 'The **heron** stands in the reeds.' },
      ...dialogue(150, (turn) => `Answer ${turn}`),
    ]);
    const { page } = await open({ path });
    await page.getByText('Answer 149').waitFor();
    expect(await page.getByText('in the reeds').count()).toBe(0);
    await page.keyboard.press('ControlOrMeta+Shift+F');
    const bar = page.getByRole('search', { name: 'Search in this conversation' });
    await bar.getByRole('textbox').fill('HERON');
    await bar.getByText('2 of 2').waitFor();
    await expect
      .poll(() => page.getByText('in the reeds').evaluate((element) => element.getBoundingClientRect().top > 0))
      .toBe(true);
    await expect.poll(() => page.evaluate(() => CSS.highlights.get('venom-find-at')?.size)).toBe(1);
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press('Enter');
    await bar.getByText('1 of 2').waitFor();
    await bar.getByRole('textbox').fill('no such word');
    await bar.getByText('Not found').waitFor();
    await page.keyboard.press('Escape');
    await bar.waitFor({ state: 'detached' });
    expect(await page.evaluate(() => CSS.highlights.size)).toBe(0);
  });

  it('reads earlier messages as the reader comes to them', async () => {
    const path = await brought(
      'far-back',
      'Far back',
      dialogue(120, (turn) => `Answer ${turn} ${'word '.repeat(40)}`),
    );
    const { page } = await open({ path });
    await page.getByText(/^Answer 119 /).waitFor();
    await page.locator('.chat-scroll').hover();
    await expect
      .poll(async () => {
        await page.mouse.wheel(0, -6_000);
        return page.locator('[data-seq="1"]').count();
      })
      .toBe(1);
    // What was far away was plain text; where the reader is it is drawn, with all that can be done.
    await page.locator('.chat-scroll').evaluate((element) => {
      element.scrollTop = 0;
    });
    await expect.poll(() => page.locator('[data-seq="2"] button').count()).toBeGreaterThan(1);
  });

  it('is branched at an answer, and the first one stays', async () => {
    const { page, ask, answer } = await open();
    await ask('The first of two');
    await page.getByRole('button', { name: 'Regenerate' }).waitFor();
    await ask('The second of two');
    await answer.nth(1).getByText('Hello world').waitFor();
    await page.getByRole('button', { name: 'Regenerate' }).waitFor();
    const before = page.url();
    await answer.first().getByRole('button', { name: 'Branch from here' }).click();
    await page.getByText(/^This is a copy/).waitFor();
    await expect.poll(() => page.url()).not.toBe(before);
    await expect.poll(() => page.getByRole('article').count()).toBe(2);
    await page.goto(before);
    await expect.poll(() => page.getByRole('article').count()).toBe(4);
  });

  it('has its last question changed with the up key in an empty field', async () => {
    const { page, field, ask, answer } = await open();
    await ask('Wit a typo');
    await page.getByRole('button', { name: 'Regenerate' }).waitFor();
    await field.press('ArrowUp');
    const edit = page.getByRole('textbox', { name: 'Edit and resend' });
    expect(await edit.inputValue()).toBe('Wit a typo');
    await edit.press('Escape');
    await edit.waitFor({ state: 'detached' });
    await field.fill('kept');
    await field.press('ArrowUp');
    expect(await edit.count()).toBe(0);
    await field.fill('');
    await field.press('ArrowUp');
    await edit.fill('Without a typo');
    site.upstream.behaviour = streams(['Thank you']);
    await edit.press('Enter');
    await answer.getByText('Thank you').waitFor();
    expect(await page.getByText('Wit a typo').count()).toBeLessThanOrEqual(1);
  });

  it('is exported and comes back', async () => {
    const { page, ask } = await open();
    await ask('To be kept elsewhere');
    await page.getByRole('button', { name: 'Regenerate' }).waitFor();
    await page.getByRole('button', { name: 'Actions for To be kept elsewhere' }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('menuitem', { name: 'Export as JSON' }).click(),
    ]);
    const before = page.url();
    const bringIn = async (file: string | { name: string; mimeType: string; buffer: Buffer }) => {
      await page.getByRole('button', { name: 'Actions for all conversations' }).click();
      const [chooser] = await Promise.all([
        page.waitForEvent('filechooser'),
        page.getByRole('menuitem', { name: 'Import a conversation' }).click(),
      ]);
      await chooser.setFiles(file);
    };
    await bringIn(await download.path());
    await page.getByText('The conversation was imported with 2 messages.').waitFor();
    await expect.poll(() => page.url()).not.toBe(before);
    await page.getByRole('article').getByText('To be kept elsewhere').waitFor();
    await bringIn({ name: 'other.json', mimeType: 'application/json', buffer: Buffer.from('{"a": 1}') });
    await page.getByText('This is no conversation that was exported as JSON.').waitFor();
  });
});

describe('many conversations', () => {
  it('take each other’s place when they are opened one after the other', async () => {
    const first = await brought('one-of-two', 'One of two', [{ role: 'user', content: 'In the first' }]);
    await brought('two-of-two', 'Two of two', [{ role: 'user', content: 'In the second' }]);
    const { page } = await open({ path: first });
    await page.getByRole('article').getByText('In the first').waitFor();
    await page.getByRole('link', { name: 'Two of two' }).click();
    await page.getByRole('article').getByText('In the second').waitFor();
    expect(await page.getByRole('article').count()).toBe(1);
    await page.getByRole('link', { name: 'One of two' }).click();
    await page.getByRole('article').getByText('In the first').waitFor();
    expect(await page.getByRole('article').count()).toBe(1);
  });

  it('are picked out and deleted together', async () => {
    for (const name of ['alpha', 'beta', 'gamma'])
      await brought(`pick-${name}`, `Pick ${name}`, [{ role: 'user', content: name }]);
    const { page } = await open({ path: '/chat/pick-alpha' });
    await page.getByRole('link', { name: 'Pick gamma' }).waitFor();
    await page.getByRole('button', { name: 'Actions for all conversations' }).click();
    await page.getByRole('menuitem', { name: 'Select several' }).click();
    await page.getByRole('checkbox', { name: 'Select Pick alpha' }).check();
    await page.getByRole('checkbox', { name: 'Select Pick beta' }).check();
    await page.getByText('2 selected').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Delete 2 conversations for good?').waitFor();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('2 conversations were deleted.').waitFor();
    await page.getByText('What would you like to know?').waitFor();
    await page.getByRole('link', { name: 'Pick gamma' }).waitFor();
    expect(await page.getByRole('link', { name: 'Pick beta' }).count()).toBe(0);
  });
});
