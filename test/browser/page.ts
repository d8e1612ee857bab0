// A headless Chromium in front of the whole server, which talks to a fake model server.
import axe from 'axe-core';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { type FakeUpstream, startFakeUpstream } from '../api/fake-upstream.js';
import { startServer, type TestServer } from '../api/server.js';

/** A page on a busy machine is done with its transitions by then. */
const SETTLES_MS = 4_000;

export interface Site {
  browser: Browser;
  server: TestServer;
  upstream: FakeUpstream;
  open(options?: {
    path?: string;
    width?: number;
    height?: number;
    colorScheme?: 'light' | 'dark';
  }): Promise<{ page: Page; context: BrowserContext; errors: string[] }>;
  close(): Promise<void>;
}

export async function startSite(
  env: Record<string, string> = {},
  /** Where programs are found. */
  environment: Record<string, string> = {},
): Promise<Site> {
  const upstream = await startFakeUpstream();
  const server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url, ...env }, undefined, environment);
  const browser = await chromium.launch({
    executablePath: process.env['VENOM_CHROMIUM'] || '/usr/bin/chromium',
    timeout: 120_000,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  await warmUp(browser, server.url);
  return {
    browser,
    server,
    upstream,
    async open({ path = '/', width = 1_280, height = 860, colorScheme = 'light' } = {}) {
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme,
        locale: 'en-US',
        reducedMotion: 'reduce',
      });
      context.setDefaultTimeout(45_000);
      const page = await context.newPage();
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(error.message));
      page.on('console', (message) => {
        if (message.type() === 'error') errors.push(`${message.text()} (${message.location().url})`);
      });
      await page.goto(server.url + path);
      return { page, context, errors };
    },
    async close() {
      await browser.close();
      await server.close();
      await upstream.close();
    },
  };
}

/** The chat of a page, as a person uses it. */
export function chatOn(page: Page) {
  const field = page.getByLabel('Message', { exact: true });
  return {
    field,
    answer: page.getByRole('article', { name: 'Assistant' }),
    async ask(text: string) {
      await field.fill(text);
      await page.keyboard.press('Enter');
    },
  };
}

/** The first page of a browser reads a few hundred megabytes from a disk that may be cold: no test's time is spent on it. */
async function warmUp(browser: Browser, url: string): Promise<void> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(url, { timeout: 120_000 });
  await page.getByLabel('Message', { exact: true }).waitFor({ timeout: 120_000 });
  await context.close();
}

/**
 * What axe finds on the page, as `rule: element`. Colours in the middle of a fade are nobody's problem, so what is found is
 * looked for again until it stays.
 */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  // Past the page's own policy, which allows no foreign script.
  await page.evaluate(axe.source);
  const until = Date.now() + SETTLES_MS;
  for (;;) {
    const problems = await problemsNow(page);
    if (problems.length === 0 || Date.now() > until) return problems;
    await page.waitForTimeout(200);
  }
}

const problemsNow = (page: Page): Promise<string[]> =>
  page.evaluate(async () => {
    const { violations } = await (
      globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }
    ).axe.run();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
  });
