import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '@weft/testkit';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest';
import { launchChromium } from '../browser/chromium.ts';
import { testCertificate } from '../edge/certificate.ts';
import { EdgeHouse } from '../edge/house.ts';
import { User } from '../harness/users.ts';
import { type Breakage, Middlebox } from './middlebox.ts';

/** Issue 6, Shows 1: real Chromium, a proxy that breaks WebSockets, the real edge, two gateways. The pictures are kept where WEFT_TEST_PICTURES says. */
const pictures = resolve(process.env['WEFT_TEST_PICTURES'] ?? temporaryFolder('pictures'));
const providers = ['hocuspocus', 'y-websocket'] as const;
const withinMs = 60_000;

let house: EdgeHouse;
let browser: Browser;
let files: Record<string, string>;

beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  [house, browser, files] = await Promise.all([EdgeHouse.start({ gateways: 2 }), launchChromium(), pageFiles()]);
});
afterAll(async () => {
  await browser?.close();
  await house?.stop();
});

async function pageFiles(): Promise<Record<string, string>> {
  const entry = fileURLToPath(new URL('page/page.ts', import.meta.url));
  const conditions = ['weft-source', 'module', 'import', 'browser'];
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: 'esm', target: 'es2022', conditions, write: false });
  const style = 'body { font: 16px sans-serif; margin: 2em } textarea { width: 100%; height: 7em; font: inherit }';
  return {
    'page.js': outputFiles[0]!.text,
    'page.html': `<!doctype html><meta charset="utf-8"><title>No WebSocket</title><style>${style}</style><body><script type="module" src="page.js"></script>`,
  };
}

async function usable(page: Page, provider: string): Promise<number> {
  const status = page.locator(`#${provider}-status:not([data-usable="-1"])`);
  await status.waitFor({ timeout: withinMs });
  return Number(await status.getAttribute('data-usable'));
}

async function type(page: Page, provider: string, words: string): Promise<void> {
  await page.focus(`#${provider}`);
  await page.keyboard.press('Control+End');
  await page.keyboard.type(words, { delay: 10 });
}

test.each<[Breakage, string]>([
  ['refused', 'upgrades are refused'],
  ['swallowed', 'upgrades have no answer'],
  ['cut', 'WebSockets are cut after 5 s'],
])('%s: both providers edit together with people by WebSocket where %s', { timeout: 180_000 }, async (breakage) => {
  const middlebox = await Middlebox.start({ edgePort: house.edge.port, breakage, tls: testCertificate(), files });
  const token = house.token({ sub: 'Ada', name: 'Ada', documents: { [breakage]: 'editor' } });
  const socketUsers = (['hocuspocus-4', 'y-websocket'] as const).map(
    (kind) => new User({ kind, name: `Ben by ${kind}`, url: house.edge.url, document: breakage, token, sockets: { ca: house.edge.ca } }),
  );
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1000, height: 480 } });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', ({ message }) => errors.push(message));
  onTestFailed(() => console.error(house.cluster.logTails(), house.edge.log('error'), errors));
  try {
    await Promise.all(socketUsers.map((user) => user.untilSynced()));
    await page.goto(`https://127.0.0.1:${middlebox.port}/page.html?document=${breakage}&token=${token}`);
    const usableMs = await Promise.all(providers.map((provider) => usable(page, provider)));
    let text = '';
    const says = async (words: string, write: () => Promise<void> | void): Promise<void> => {
      await write();
      text += words;
      for (const provider of providers) await expect.poll(() => page.inputValue(`#${provider}`), { timeout: withinMs }).toBe(text);
      for (const { doc } of socketUsers) await expect.poll(() => doc.getText('t').toString(), { timeout: withinMs }).toBe(text);
    };
    const everybodySays = async (round: string): Promise<void> => {
      for (const provider of providers) await says(`${provider} ${round}. `, () => type(page, provider, `${provider} ${round}. `));
      for (const { name, doc } of socketUsers)
        await says(`${name} ${round}.\n`, () => doc.getText('t').insert(text.length, `${name} ${round}.\n`));
    };
    await everybodySays('before');
    // Where WebSockets are cut: two of them, and the third connection is by the fallback.
    for (const provider of providers) await page.locator(`#${provider}-status[data-transport=fallback]`).waitFor({ timeout: withinMs });
    await everybodySays('by the fallback');
    await page.screenshot({ path: join(pictures, `fallback-${breakage}.png`) });
    const connections = await page.locator('p').allTextContents();
    console.log(`${breakage}: usable after ${usableMs.map(Math.round).join(' and ')} ms\n  ${connections.join('\n  ')}`);
    expect(errors).toEqual([]);
    const made = Number(await page.locator('#hocuspocus-status').getAttribute('data-connections'));
    // The third, or the second where a busy machine had brought nothing by the first in its five seconds.
    if (breakage === 'cut') expect([2, 3]).toContain(made);
    else expect(made).toBe(1);

    // Somebody who comes back to the page does not wait again.
    await page.reload();
    const again = await Promise.all(providers.map((provider) => usable(page, provider)));
    console.log(`${breakage}, the page loaded again: usable after ${again.map(Math.round).join(' and ')} ms`);
    for (const provider of providers) {
      await expect.poll(() => page.inputValue(`#${provider}`), { timeout: withinMs }).toBe(text);
      expect(await page.locator(`#${provider}-status`).getAttribute('data-connections')).toBe('1');
    }
  } finally {
    await context.close();
    for (const user of socketUsers) user.leave();
    await middlebox.stop();
  }
});

test(
  '[CL35] a page of another origin, by the fallback: no request is asked for first; and when it goes, its people are gone at once',
  { timeout: 120_000 },
  async () => {
    const middlebox = await Middlebox.start({ edgePort: house.edge.port, breakage: 'refused', tls: testCertificate(), files });
    const token = house.token({ sub: 'Ada', name: 'Ada', documents: { elsewhere: 'editor' } });
    const ben = new User({
      kind: 'hocuspocus-4',
      name: 'Ben',
      url: house.edge.url,
      document: 'elsewhere',
      token,
      sockets: { ca: house.edge.ca },
    });
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    const before = house.edge.log('access').length;
    try {
      await ben.untilSynced();
      const at = `https://127.0.0.1:${middlebox.port}`;
      await page.goto(`https://localhost:${middlebox.port}/page.html?document=elsewhere&token=${token}&at=${at}`);
      await Promise.all(providers.map((provider) => usable(page, provider)));
      await type(page, 'hocuspocus', 'From elsewhere. ');
      await type(page, 'y-websocket', 'Here, too.');
      await expect.poll(() => ben.doc.getText('t').toString(), { timeout: withinMs }).toBe('From elsewhere. Here, too.');
      await expect.poll(() => ben.awareness.getStates().size, { timeout: withinMs }).toBe(3);
      const requests = house.edge.log('access').slice(before);
      expect(requests).toContain('POST /push 204');
      expect(requests).not.toContain('OPTIONS');
      const sinceMs = performance.now();
      await page.goto('about:blank');
      // A session whose stream only broke would be kept for 30 s.
      await expect.poll(() => ben.awareness.getStates().size, { timeout: 15_000 }).toBe(1);
      console.log(`a page that went was gone for the others after ${Math.round(performance.now() - sinceMs)} ms`);
    } finally {
      await context.close();
      ben.leave();
      await middlebox.stop();
    }
  },
);
