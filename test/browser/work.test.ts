// Normal and Complex chat with what stands around them: plan, commands, inspector, queue, memory, routing, feedback.
/// <reference lib="dom" />
import type { ServerResponse } from 'node:http';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startFakeCloud } from '../api/fake-cloud.js';
import { chunk, streams } from '../api/fake-upstream.js';
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

async function open(options?: Parameters<Site['open']>[0] & { mode?: 'normal' | 'complex' }) {
  const opened = await site.open(options);
  closers.push(() => opened.context.close());
  const { page } = opened;
  if (options?.mode) {
    await page.evaluate((mode) => localStorage.setItem('venom.mode', JSON.stringify(mode)), options.mode);
    await page.reload();
  }
  return { ...opened, ...chatOn(page) };
}

const post = (path: string, body?: unknown) =>
  fetch(`${site.server.url}/api/v1${path}`, {
    method: 'POST',
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
const stored = (page: Page) => page.getByRole('button', { name: 'Regenerate' }).waitFor();

describe('Normal chat', () => {
  it('shows that an answer stayed here, and which memory it knew', async () => {
    await post('/memory/ingest', {
      text: 'The lighthouse keeper is called Marlene.',
      category: 'user',
      scope: 'global',
    });
    const { page, ask, answer, errors } = await open({ mode: 'normal' });
    await ask('What is the lighthouse keeper called, please tell me?');
    await answer.getByText('Hello world').waitFor();
    await stored(page);
    await answer.getByText('Stayed here').waitFor();
    await answer.getByText('found by words only').waitFor();
    await answer.getByRole('button', { name: /^[1-9]\d* recalled$/ }).click();
    const popover = page.getByRole('dialog', { name: /recalled/ });
    await popover.getByText('The lighthouse keeper is called Marlene.').waitFor();
    await popover.getByText('added by hand').first().waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('says what keeps a conversation here, and lets go of it with a reason', async () => {
    const { page, ask, answer, errors } = await open({ mode: 'normal' });
    await ask('My account is PL61 1090 1014 0000 0712 1981 2874, what is it for?');
    await answer.getByText('Hello world').waitFor();
    await stored(page);
    await answer.getByText('Stayed here · iban').waitFor();
    await page
      .locator('.session-row')
      .first()
      .getByRole('button', { name: /^Actions for/ })
      .click();
    await page.getByRole('menuitem', { name: 'Privacy' }).click();
    const dialog = page.getByRole('dialog', { name: 'Privacy' });
    await dialog.getByText('iban', { exact: true }).waitFor();
    await page.getByRole('menu').waitFor({ state: 'hidden' });
    expect(await accessibilityProblems(page)).toEqual([]);
    const release = dialog.getByRole('button', { name: 'Take the labels off' });
    expect(await release.isDisabled()).toBe(true);
    await dialog.getByLabel('Why may it leave from now on?').fill('A made-up number');
    await release.click();
    await dialog.getByText(/iban taken off\. A made-up number/).waitFor();
    await dialog.getByText(/^Nothing private/).waitFor();
    expect(errors).toEqual([]);
  });

  it('shows a picture to the model with the message, from Direct chat too', async () => {
    const { page, ask, answer, errors } = await open();
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    );
    const choose = (name: string, mimeType: string) =>
      page.locator('input[type=file]').setInputFiles({ name, mimeType, buffer: png });
    await choose('program.exe', 'application/octet-stream');
    await page.getByText(/^At most 4 pictures/).waitFor();
    await choose('dot.png', 'image/png');
    await page.getByRole('img', { name: 'dot.png' }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await ask('What is this?');
    await answer.getByText('Hello world').waitFor();
    expect(JSON.stringify(site.upstream.requests.at(-1)?.['messages'])).toContain(
      `data:image/png;base64,${png.toString('base64')}`,
    );
    expect(await page.getByRole('img', { name: 'dot.png' }).count()).toBe(0);
    // It stays with the message, and a second answer has it too.
    await page.getByRole('img', { name: 'Picture 1 of this message' }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    const asked = site.upstream.requests.length;
    site.upstream.behaviour = streams(['Once more']);
    await page.getByRole('button', { name: 'Regenerate' }).click();
    await answer.getByText('Once more').waitFor();
    await page.getByRole('img', { name: 'Picture 1 of this message' }).waitFor();
    expect(JSON.stringify(site.upstream.requests.slice(asked))).toContain(png.toString('base64'));
    expect(errors).toEqual([]);
  });

  it('offers commands at a slash, chosen with the keyboard', async () => {
    const { page } = await open({ mode: 'normal' });
    const field = page.getByLabel('Message', { exact: true });
    await field.pressSequentially('/c');
    const menu = page.getByRole('listbox', { name: 'Commands' });
    await menu.waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press('ArrowDown');
    const chosen = await menu.getByRole('option', { selected: true }).locator('p').first().textContent();
    await page.keyboard.press('Enter');
    expect(await field.inputValue()).toBe(`${chosen} `);
    await field.fill('/c');
    await menu.waitFor();
    await page.keyboard.press('Escape');
    await menu.waitFor({ state: 'detached' });
  });

  it('is looked into: steps, what was sent, where it went, the diagram', async () => {
    const { page, context, ask } = await open({ mode: 'normal' });
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await ask('Tell me something nice about the autumn');
    await stored(page);
    await page.getByRole('button', { name: 'Look inside' }).click();
    const drawer = page.getByRole('dialog', { name: 'Inside this answer' });
    await drawer.getByText('submit_request').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await drawer.getByRole('tab', { name: 'What was sent' }).click();
    await drawer.getByText(/\[user\] Tell me something nice/).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await drawer.getByRole('tab', { name: 'Where it went' }).click();
    await drawer
      .getByRole('table', { name: 'Receipt' })
      .getByText(/fake-model/)
      .waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await drawer.getByRole('tab', { name: 'Diagram' }).click();
    await drawer.getByRole('button', { name: 'Copy' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^sequenceDiagram/);
    await page.keyboard.press('Escape');
    await drawer.waitFor({ state: 'detached' });
  });

  it('answers again after a thumb down, and shows the second try', async () => {
    const { page, ask, answer } = await open({ mode: 'normal' });
    await ask('Write a line about the winter');
    await stored(page);
    site.upstream.behaviour = streams(['A shorter', ' line']);
    await page.getByRole('button', { name: 'Not a good answer' }).click();
    await page.getByLabel('What was wrong?').fill('Too long.');
    await page.getByRole('button', { name: 'Send and try again' }).click();
    const again = answer.getByRole('region', { name: 'The second try' });
    await again.getByText('A shorter line').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await again.getByRole('link', { name: 'Show in the queue' }).click();
    await page.getByRole('heading', { level: 1, name: 'Queue' }).waitFor();
    await page
      .getByText(/winter/)
      .nth(1)
      .waitFor();
  });
});

describe('a cloud', () => {
  it('is chosen beside the models here, and the page does not say that words stay', async () => {
    const cloud = await startFakeCloud();
    const own = await startSite(cloud.env);
    try {
      const { page, errors } = await own.open();
      const model = page.getByRole('combobox', { name: 'Model' });
      await model.click();
      await page.getByRole('option', { name: 'gpt-4o · openai', exact: true }).click();
      await page.getByText('openai answers. What is sensitive stays here.').waitFor();
      await expect.poll(() => model.inputValue()).toBe('gpt-4o · openai');
      await page.getByLabel('Message', { exact: true }).fill('Hi');
      await page.keyboard.press('Enter');
      const answer = page.getByRole('article', { name: 'Assistant' });
      await answer.getByText('From the cloud').waitFor();
      await answer.getByText(/^openai · .* sent$/).waitFor();
      await model.click();
      await page.getByRole('option', { name: 'fake-model' }).click();
      await expect.poll(() => model.inputValue()).toBe('fake-model');
      await page.getByLabel('Message', { exact: true }).fill('Hi again');
      await page.keyboard.press('Enter');
      await answer.getByText('Stayed here').waitFor();
      expect(cloud.requests).toHaveLength(1);
      // A page that comes back to an answer asks whether it is a task's.
      expect(errors.filter((error) => !error.includes('404'))).toEqual([]);
    } finally {
      await own.close();
      await cloud.close();
    }
  });
});

describe('Complex chat', () => {
  it('shows the words of each step while it is written', async () => {
    const plan = JSON.stringify({
      steps: ['Buy bread', 'Buy milk'].map((instruction, index) => ({
        step_number: index + 1,
        agent_type: 'CODER',
        instruction,
        depends_on: [],
      })),
    });
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    site.upstream.behaviour = async (body: Record<string, unknown>, response: ServerResponse) => {
      if (body['response_format']) return streams([plan])(body, response);
      const last = (body['messages'] as { content: string }[]).at(-1)?.content ?? '';
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk({ content: last.includes('milk') ? 'Milk is bought ' : 'Bread is bought ' }));
      await held;
      response.end(`${chunk({ content: 'now.' })}${chunk({}, 'stop')}data: [DONE]\n\n`);
    };
    const { page, ask, answer, errors } = await open({ mode: 'complex' });
    await ask('Make a breakfast');
    const steps = answer.getByRole('list', { name: 'Plan' }).getByRole('listitem');
    await steps.filter({ hasText: 'Buy bread' }).getByText('Bread is bought').waitFor();
    await steps.filter({ hasText: 'Buy milk' }).getByText('Milk is bought').waitFor();
    letGo();
    await answer.getByText('Milk is bought now.').waitFor();
    await stored(page);
    expect(errors).toEqual([]);
  });

  it('shows a Council as it talks, what it spends, and its conclusion', async () => {
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    site.upstream.behaviour = async (body: Record<string, unknown>, response: ServerResponse) => {
      const last = (body['messages'] as { content: string }[]).at(-1)?.content ?? '';
      const speaker = /You are the (\w+)\. Speak now\.$/.exec(last)?.[1];
      if (speaker === 'critic') await held;
      const said = { architect: 'Three parts.', coder: 'I can do that.', critic: 'AGREED', guardian: 'AGREED' };
      await streams([said[speaker as keyof typeof said] ?? 'Build it in three parts.'])(body, response);
    };
    const { page, ask, answer, errors } = await open({ mode: 'complex' });
    await ask('Build a boat house');
    const statements = answer.getByRole('list', { name: 'Council' }).getByRole('listitem');
    await statements.filter({ hasText: 'Architect' }).getByRole('img', { name: 'done' }).waitFor();
    await statements.filter({ hasText: 'Critic' }).getByRole('img', { name: 'running' }).waitFor();
    await answer.getByText(/of 24,000 tokens/).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    letGo();
    await answer.getByText('Council: agreed').waitFor();
    await stored(page);
    expect(errors).toEqual([]);
  });

  it('says why a goal that might have been talked over was planned', async () => {
    const own = await startSite({ COUNCIL_MAX_ROUNDS: '0' });
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    try {
      own.upstream.behaviour = async (body: Record<string, unknown>, response: ServerResponse) => {
        const plan = '{"steps":[{"step_number":1,"agent_type":"CODER","instruction":"Build it all","depends_on":[]}]}';
        if (body['response_format']) return streams([plan])(body, response);
        await held;
        await streams(['Built.'])(body, response);
      };
      const { page } = await own.open();
      await page.getByRole('radiogroup').getByText('Complex', { exact: true }).click();
      const { ask, answer } = chatOn(page);
      await ask('Build a boat house');
      await answer.getByRole('list', { name: 'Plan' }).getByText('Build it all').waitFor();
      await answer.getByText('The goal was planned, not talked over: councils are switched off.').waitFor();
      letGo();
      await answer.getByText('Built.').first().waitFor();
    } finally {
      letGo();
      await own.close();
    }
  });

  it('shows the goals of a campaign as they are reached, in Polish too, with its log', async () => {
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    site.upstream.behaviour = async (body: Record<string, unknown>, response: ServerResponse) => {
      const last = (body['messages'] as { content: string }[]).at(-1)?.content ?? '';
      if (last.includes('dogs')) await held;
      await streams([last.includes('dogs') ? 'A joke about dogs.' : 'A joke about cats.'])(body, response);
    };
    const { page, ask, answer, errors } = await open({ mode: 'normal' });
    await ask('Start a campaign:\n- Tell a joke about cats\n- Tell a joke about dogs');
    const goals = answer.getByRole('list', { name: 'Campaign' }).getByRole('listitem');
    await goals.filter({ hasText: 'Tell a joke about cats' }).getByRole('img', { name: 'done' }).waitFor();
    await goals.filter({ hasText: 'Tell a joke about dogs' }).getByRole('img', { name: 'running' }).waitFor();
    await goals.filter({ hasText: 'goal 2 of 2' }).waitFor();
    await answer.getByText(/of 200,000 tokens/).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByRole('button', { name: 'Language' }).click();
    await page.getByRole('menuitem', { name: 'Polski' }).click();
    await page.getByRole('list', { name: 'Kampania' }).getByText('cel 2 z 2').waitFor();
    const log = page.getByRole('button', { name: /^Cel 2: Tell a joke about dogs/ });
    await log.click();
    await page.getByText('Kampania z 2 celami.').waitFor();
    await page.getByText('Cele są takie, jakie podano na liście.').waitFor();
    letGo();
    await page.getByText('A joke about dogs.').first().waitFor();
    await page.getByText('2 of 2 goals reached').first().waitFor();
    expect(errors).toEqual([]);
  });

  it('shows the plan and its steps as they are done, and the report', async () => {
    const plan = JSON.stringify({
      steps: [
        { step_number: 1, agent_type: 'RESEARCHER', instruction: 'Collect ideas', depends_on: [] },
        { step_number: 2, agent_type: 'CODER', instruction: 'Write the list', depends_on: [1] },
      ],
    });
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    site.upstream.behaviour = async (body: Record<string, unknown>, response: ServerResponse) => {
      if (body['response_format']) return streams([plan])(body, response);
      const last = (body['messages'] as { content: string }[]).at(-1)?.content ?? '';
      if (last.includes('Your step:\nWrite the list')) await held;
      await streams([last.includes('Your step:\nWrite the list') ? 'The list.' : 'Some ideas.'])(body, response);
    };
    const { page, ask, answer, errors } = await open({ mode: 'complex' });
    await ask('Plan a garden party');
    const steps = answer.getByRole('list', { name: 'Plan' }).getByRole('listitem');
    await steps.filter({ hasText: 'Collect ideas' }).getByRole('img', { name: 'done' }).waitFor();
    await steps.filter({ hasText: 'Write the list' }).getByRole('img', { name: 'running' }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    letGo();
    await answer.getByText('2 of 2 steps done').waitFor();
    await stored(page);
    expect(errors).toEqual([]);
  });
});

describe('the queue', () => {
  afterEach(() => post('/queue/resume').then(() => undefined));

  it('is held and goes on', async () => {
    const { page } = await open({ path: '/queue' });
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('paused').waitFor();
    await post('/tasks', { content: 'Waits for the queue' });
    const row = page.getByRole('article').filter({ hasText: 'Waits for the queue' });
    await row.getByText('waiting', { exact: true }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByRole('button', { name: 'Go on' }).click();
    await row.getByText('done', { exact: true }).waitFor();
  });
});

describe('memory', () => {
  it('is added to, searched and forgotten', async () => {
    const { page, errors } = await open({ path: '/memory' });
    await page.getByRole('button', { name: 'Remember something' }).click();
    await page.getByLabel('Text', { exact: true }).fill('The spare key hangs behind the clock.');
    await page.getByRole('button', { name: 'Remember', exact: true }).click();
    const card = page.getByRole('article').filter({ hasText: 'behind the clock' });
    await card.waitFor();
    await page.getByLabel('Search memory').fill('spare key');
    await page
      .getByText(/% alike/)
      .first()
      .waitFor();
    await card.first().waitFor();
    await page.getByLabel('Search memory').fill('');
    await card.getByRole('button', { name: /^Forget/ }).click();
    await card.waitFor({ state: 'detached' });
    expect(errors).toEqual([]);
  });

  it('shows approved answers, which are switched on and off', async () => {
    const { page, ask } = await open({ mode: 'normal' });
    await ask('Write a toast for the harvest');
    await stored(page);
    await page.getByRole('button', { name: 'Good answer', exact: true }).click();
    await page.getByText('Noted: answers like this one are remembered.').waitFor();
    await page.getByRole('link', { name: 'Memory' }).click();
    await page.getByRole('tab', { name: 'Approved answers' }).click();
    const use = page.getByRole('switch', { name: 'Use as an example: Write a toast for the harvest' });
    await use.click({ force: true });
    await expect
      .poll(async () => (await (await fetch(`${site.server.url}/api/v1/learning/hidden-prompts/active`)).json()).count)
      .toBe(1);
    await expect.poll(() => use.isChecked()).toBe(true);
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByRole('tab', { name: 'Learned phrases' }).click();
    await page.getByText('Nothing to review.').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
  });
});

describe('routing', () => {
  it('explains a text, marks its way in the policy, and takes a template', async () => {
    const { page, errors } = await open({ path: '/routing' });
    await page.getByRole('button', { name: 'Templates' }).click();
    await page.getByRole('menuitem', { name: /^Cheap first/ }).click();
    await page.getByText('if complexity ≤ 3').waitFor();
    await page.getByRole('region', { name: 'Policy' }).getByRole('button', { name: 'Save' }).click();
    await page.getByText('version 1', { exact: true }).waitFor();
    await page.getByRole('textbox', { name: 'Text', exact: true }).fill('Hello there');
    await page.getByRole('button', { name: 'Explain' }).click();
    await page.getByText('Stays here', { exact: false }).first().waitFor();
    const taken = page.getByRole('listitem').filter({ hasText: 'if complexity ≤ 3' }).last();
    await taken.getByText('taken').waitFor();
    await expect.poll(() => page.getByText('taken', { exact: true }).count()).toBe(2);
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByText('JSON', { exact: true }).click();
    await page.getByRole('textbox', { name: 'Policy' }).fill('{"kind": "nonsense"}');
    await page.getByText('Tree', { exact: true }).click();
    await page.getByText('This is no policy:').waitFor();
    expect(await page.getByRole('region', { name: 'Policy' }).getByRole('button', { name: 'Save' }).isDisabled()).toBe(
      true,
    );
    expect(errors).toEqual([]);
  });
});

describe('every page', () => {
  const PAGES = ['/', '/models', '/discover', '/activity', '/runtimes', '/queue', '/memory', '/routing', '/system'];

  it.each([
    [1_280, 'light', 844],
    [1_280, 'dark', 844],
    [390, 'light', 844],
    [390, 'dark', 844],
    // So low that the conversations have a few lines left and scroll.
    [1_280, 'light', 610],
  ] as const)('is clean for axe and no wider than %i pixels in the %s scheme', async (width, colorScheme, height) => {
    const { page } = await open({ width, height, colorScheme });
    for (const path of PAGES) {
      await page.goto(site.server.url + path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await expect.poll(() => page.getByRole('status', { name: 'Loading …' }).count()).toBe(0);
      expect(await accessibilityProblems(page), path).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(width);
    }
  });
});
