import type { Browser, Page } from 'playwright-core';

const withinMs = 60_000;
const keyDelayMs = 5;

/** One tab of somebody's own browser, as that person uses it: keys and eyes, no access to what is behind. */
export class Tab {
  readonly page: Page;
  /** What went wrong in the page's own scripts. */
  readonly errors: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.errors.push(error.message));
  }

  /** Somebody who was here before, under that name. Resolves when the page says `Saved`. */
  static async open(browser: Browser, url: string, name: string): Promise<Tab> {
    const context = await browser.newContext({ viewport: { width: 1100, height: 640 } });
    const person = JSON.stringify({ name, color: '#3f51b5' });
    await context.addInitScript((kept) => localStorage.setItem('weft.person', kept), person);
    const tab = new Tab(await context.newPage());
    await tab.page.goto(url);
    await tab.untilSaid('Saved');
    return tab;
  }

  /** At the end of the text. */
  async type(text: string): Promise<void> {
    await this.page.focus('.cm-content');
    await this.page.keyboard.press('Control+End');
    await this.page.keyboard.type(text, { delay: keyDelayMs });
  }

  /** In the middle of a session: the others have seen the old name. */
  async rename(name: string): Promise<void> {
    await this.page.fill('#my-name', name);
    await this.page.focus('.cm-content');
  }

  async untilSaid(words: string): Promise<void> {
    await this.page.waitForFunction((wanted) => document.querySelector('#status-words')?.textContent === wanted, words, {
      timeout: withinMs,
    });
  }

  async untilOffline(): Promise<void> {
    await this.page.waitForSelector('#status[data-tone=offline]', { timeout: withinMs });
  }

  /** The text as it is on the page, and nothing else. */
  text(): Promise<string> {
    return this.page.evaluate(shownText);
  }

  /** Somebody else's cursor stands in the text, with the name on it. */
  async untilCursorOf(name: string): Promise<void> {
    await this.page
      .locator('.cm-content .cm-ySelectionCaret', { has: this.page.locator('.cm-ySelectionInfo', { hasText: name }) })
      .waitFor({ state: 'attached', timeout: withinMs });
  }

  async untilPeople(names: readonly string[]): Promise<void> {
    const wanted = [...names].toSorted().join(', ');
    await this.page.waitForFunction(
      (people) =>
        [...document.querySelectorAll<HTMLElement>('#people .face')]
          .map(({ title }) => title)
          .sort()
          .join(', ') === people,
      wanted,
      { timeout: withinMs },
    );
  }
}

/** Runs in the page. Others' cursors stand in the text with their names: they are not of it. */
function shownText(): string {
  const lines = [...document.querySelectorAll('.cm-content .cm-line')].map((line) => {
    const bare = line.cloneNode(true) as Element;
    for (const cursor of bare.querySelectorAll('.cm-ySelectionCaret')) cursor.remove();
    return bare.textContent ?? '';
  });
  return lines.join('\n');
}
