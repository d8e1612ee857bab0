// Takes the pictures of README.md and docs/: `node scripts/pictures/take.mjs [STARTER.gguf]`. The chat, the models and the
// engines are taken of a server that answers with the real starter model; without its file those pictures stay as they are.
// Everything around answers (queue, memory, routing, a look inside) is taken of a server whose answers were written for it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { chromium } from 'playwright-core';
import { ROOT } from '../run.mjs';
import { spreadOverWeeks } from './past.mjs';
import { fill, startShowcase } from './showcase.mjs';

const { startProcess } = await import('../../test/process/venom-process.ts');
const IMAGES = join(ROOT, 'docs', 'images');
const WIDE = { width: 1_280, height: 820 };
const PHONE = { width: 390, height: 844 };
const WEBP_QUALITY = 0.9;
const SETTLED_MS = 900;

const browser = await chromium.launch({
  executablePath: process.env['VENOM_CHROMIUM'] || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
const encoder = await browser.newPage();

/** WebP at twice the size is smaller than PNG at once, and sharp on every screen. */
async function keep(page, name) {
  await page.waitForTimeout(SETTLED_MS);
  const png = (await page.screenshot()).toString('base64');
  const webp = await encoder.evaluate(
    async ([base64, quality]) => {
      const picture = new Image();
      picture.src = `data:image/png;base64,${base64}`;
      await picture.decode();
      const canvas = document.createElement('canvas');
      canvas.width = picture.width;
      canvas.height = picture.height;
      canvas.getContext('2d').drawImage(picture, 0, 0);
      return canvas.toDataURL('image/webp', quality).split(',')[1];
    },
    [png, WEBP_QUALITY],
  );
  writeFileSync(join(IMAGES, `${name}.webp`), Buffer.from(webp, 'base64'));
  console.log(`${name}.webp ${Math.round((webp.length * 0.75) / 1_000)} kB`);
}

async function withPage(url, path, { viewport = WIDE, colorScheme = 'light', mode = 'direct' }, use) {
  const context = await browser.newContext({
    viewport,
    colorScheme,
    deviceScaleFactor: 2,
    locale: 'en-US',
    reducedMotion: 'reduce',
  });
  await context.addInitScript((chosen) => {
    localStorage.setItem('venom.mode', JSON.stringify(chosen));
    // So that the pictures come out the same each time.
    localStorage.setItem('venom.parameters', JSON.stringify({ temperature: 0 }));
  }, mode);
  const page = await context.newPage();
  await page.goto(url + path);
  await use(page);
  await context.close();
}

async function ofTheRealModel(starterFile) {
  const dataDir = mkdtempSync(join(tmpdir(), 'venom-pictures-'));
  const server = await startProcess({ VENOM_DATA_DIR: dataDir, CLOUD_KEYS_IN: 'file', OLLAMA_REGISTRY_ENDPOINT: '' });
  const call = async (path, json) =>
    (
      await fetch(`${server.url}/api/v1${path}`, {
        ...(json
          ? { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) }
          : {}),
      })
    ).json();
  try {
    await call('/models/starter/install', { path: resolve(starterFile) });
    for (let waited = 0; (await call('/models/starter')).state !== 'installed'; waited += 1) {
      if (waited > 120) throw new Error('The starter model was not installed.');
      await new Promise((done) => setTimeout(done, 500));
    }
    // Loads the model, so that the first answer of the picture does not wait for that.
    await (
      await fetch(`${server.url}/api/v1/llm/simple/stream`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ content: 'Say hello in three languages', session_id: 'session-warm', max_tokens: 40 }),
      })
    ).text();
    let session;
    await withPage(server.url, '/', {}, async (page) => {
      const ask = async (text, nth) => {
        await page.getByLabel('Message', { exact: true }).fill(text);
        await page.keyboard.press('Enter');
        await page.getByRole('article', { name: 'Assistant' }).nth(nth).waitFor({ timeout: 120_000 });
        await page.getByRole('button', { name: 'Regenerate' }).waitFor({ timeout: 120_000 });
      };
      await ask('What is the capital of France?', 0);
      await ask('What is the largest ocean on earth?', 1);
      session = new URL(page.url()).pathname;
      await keep(page, 'chat-desktop');
    });
    await withPage(server.url, session, { colorScheme: 'dark' }, async (page) => {
      await page.getByRole('button', { name: 'Regenerate' }).waitFor();
      await keep(page, 'chat-desktop-dark');
    });
    await withPage(server.url, session, { viewport: PHONE }, async (page) => {
      await page.getByRole('button', { name: 'Regenerate' }).waitFor();
      await keep(page, 'chat-phone');
    });
    for (const [path, name] of [
      ['/models', 'models-desktop'],
      ['/runtimes', 'runtimes-desktop'],
      ['/activity', 'activity-desktop'],
    ])
      await withPage(server.url, path, {}, async (page) => {
        await page.getByRole('heading', { level: 1 }).waitFor();
        // Charts and rows of health begin with the page.
        await page.waitForTimeout(name === 'activity-desktop' ? 0 : 20_000);
        await keep(page, name);
      });
  } finally {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function ofTheShowcase() {
  const showcase = await startShowcase();
  try {
    await fill(showcase.url);
    await showcase.restart(() => spreadOverWeeks(showcase.dataDir, 30));
    for (const [path, name] of [
      ['/memory', 'memory-desktop'],
      ['/queue', 'queue-desktop'],
    ])
      await withPage(showcase.url, path, {}, async (page) => {
        await page.getByRole('article').first().waitFor();
        await keep(page, name);
      });
    await withPage(showcase.url, '/chat/session-showcase-03', { mode: 'normal' }, async (page) => {
      await page.getByRole('button', { name: 'Look inside' }).click();
      await page.getByRole('dialog').getByRole('list').waitFor();
      await keep(page, 'inspector-desktop');
    });
    await withPage(showcase.url, '/routing', { viewport: { width: 1_280, height: 1_120 } }, async (page) => {
      await page.getByText('It depends').waitFor();
      await page.getByRole('textbox', { name: 'Text', exact: true }).fill('Rewrite this parser so that it streams.');
      await page.getByRole('button', { name: 'Explain', exact: true }).click();
      await page.getByText('taken').first().waitFor();
      await page.locator('.page-scroll').evaluate((element) => {
        element.scrollTop = 0;
      });
      await keep(page, 'routing-desktop');
    });
    await withPage(showcase.url, '/chat/session-showcase-00', {}, async (page) => {
      await page.getByRole('button', { name: 'Regenerate' }).waitFor();
      await keep(page, 'conversation-desktop');
    });
  } finally {
    await showcase.close();
  }
}

const [starterFile] = process.argv.slice(2);
try {
  if (starterFile) await ofTheRealModel(starterFile);
  await ofTheShowcase();
} finally {
  await browser.close();
}
