// What an imported MCP server asks in a chat, as the person there meets it: a card with a form, by keyboard, or with a page.
/// <reference lib="dom" />
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { importAsking, leadsTo } from '../api/asking-server.js';
import { TaskClient } from '../api/task-client.js';
import { accessibilityProblems, type Site, startSite } from './page.js';

let site: Site;
let client: TaskClient;

beforeAll(async () => {
  site = await startSite({ MCP_GIT_FILE_ROOTS: tmpdir() }, { PATH: process.env['PATH'] ?? '' });
  client = new TaskClient(site.server.url);
  await importAsking(site.server.url, 'modern');
  await importAsking(site.server.url, 'legacy', { name: 'sampling' });
});
afterAll(() => site.close());

/** A conversation in which a tool is called, on a page. */
async function asks(tool: string, session: string, width = 1_280) {
  const told = leadsTo(site.upstream, tool);
  const task = await client.submit({ content: `Call ${tool}`, forced_tool: tool, session_id: session });
  const opened = await site.open({ path: `/chat/${session}`, width });
  const card = opened.page.getByRole('group', { name: `Asking ${tool.split('__')[0]} asks you` });
  await card.waitFor();
  return { ...opened, card, task, told };
}

it('is a form that says what does not fit, and is sent by keyboard', async () => {
  const { page, context, card, task, told, errors } = await asks('modern__book', 'table');
  // Not Markdown: the words of a stranger are shown as they are.
  await card.getByText('Which table? **Not bold**').waitFor();
  await card.getByText(/nobody has checked/).waitFor();
  expect(await accessibilityProblems(page)).toEqual([]);
  await card.getByLabel('Your name').fill('A');
  await page.keyboard.press('Enter');
  await card.getByText('This is too short.').waitFor();
  await card.getByText('This is required.').waitFor();
  await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-invalid'))).toBe('true');
  expect(await accessibilityProblems(page)).toEqual([]);
  await card.getByLabel('Your name').fill('Ada');
  await card.getByLabel('room').selectOption({ label: 'Outside' });
  await card.getByRole('checkbox', { name: 'Wine' }).check();
  await card.getByRole('switch', { name: 'At the window' }).check({ force: true });
  await card.getByLabel('Your name').press('Enter');
  await card.waitFor({ state: 'detached' });
  await client.ended(task);
  expect(told()).toContain(
    JSON.stringify(JSON.stringify({ name: 'Ada', guests: 2, window: true, room: 'out', extras: ['w'] })).slice(1, -1),
  );
  // What did not fit was refused by the server.
  expect(errors.filter((error) => !error.includes('422'))).toEqual([]);
  await context.close();
});

it('is a page with its host in plain sight, which nobody opens but the person', async () => {
  const { page, context, card, task, told } = await asks('modern__login', 'login', 390);
  const link = card.getByRole('link', { name: 'Open login.example.org' });
  expect(await link.getAttribute('href')).toBe('https://login.example.org/start?x=1');
  expect(await link.getAttribute('rel')).toContain('noopener');
  expect(context.pages()).toHaveLength(1);
  expect(await accessibilityProblems(page)).toEqual([]);
  await card.getByRole('button', { name: 'Decline' }).click();
  await card.waitFor({ state: 'detached' });
  await client.ended(task);
  expect(told()).toContain('decline');
  await context.close();
});

it('shows what the model would be asked before it is', async () => {
  const { page, context, card, task, told } = await asks('sampling__sample', 'fruit');
  await card.getByText('Name a fruit.').waitFor();
  await card.getByText('Be short.').waitFor();
  await card.getByText(/at most 1000 tokens/).waitFor();
  expect(await accessibilityProblems(page)).toEqual([]);
  await card.getByRole('button', { name: 'Allow' }).click();
  await card.waitFor({ state: 'detached' });
  await client.ended(task);
  expect(told()).toContain('A pear.');
  await context.close();
});
