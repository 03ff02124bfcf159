// What every story in the browser needs: a mesh, people with a browser each, and no error that nobody looks at.
import { test as base, expect, type Browser, type BrowserContext, type Page } from '@playwright/test';
import { Mesh, missingMesh } from './mesh.ts';

const missing = missingMesh();

/** Somebody with a browser of their own. */
export class BrowserPerson {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly handle: string;
  passphrase: string;
  words: string[] = [];

  constructor(context: BrowserContext, page: Page, handle: string, passphrase = `passphrase of ${handle}`) {
    this.context = context;
    this.page = page;
    this.handle = handle;
    this.passphrase = passphrase;
  }

  /** Makes an identity, writes the words down, registers. */
  async create(): Promise<void> {
    const { page } = this;
    await page.goto('/create');
    await page.getByLabel('Handle').fill(this.handle);
    await expect(page.getByText('This handle is free.')).toBeVisible();
    await this.#newPassphrase();
    await page.getByRole('button', { name: 'Continue' }).click();
    const cells = page.getByRole('list', { name: 'Recovery phrase' }).getByRole('listitem');
    await expect(cells).toHaveCount(12);
    this.words = (await cells.allTextContents()).map((text) => text.replace(/\d+/, '').trim());
    await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
    const question = page.getByLabel(/To be sure: what is word/);
    const position = Number(
      /word (\d+)/.exec(
        await question.evaluate((field: HTMLInputElement) => field.labels?.[0]?.textContent ?? ''),
      )?.[1],
    );
    await question.fill(this.words[position - 1] ?? '');
    await page.getByRole('button', { name: 'Register my handle' }).click();
    await expect(page.getByRole('heading', { name: `Welcome, ${this.handle}` })).toBeVisible({
      timeout: 30_000,
    });
  }

  /** Comes back with a secret in this browser. */
  async restore(secret: string): Promise<void> {
    const { page } = this;
    await page.goto('/restore');
    await page.getByLabel('Recovery phrase or seed').fill(secret);
    await expect(page.getByText(`This is ${this.handle}@`)).toBeVisible();
    await this.#newPassphrase();
    await page.getByRole('button', { name: 'Restore', exact: true }).click();
    await this.live();
  }

  async unlock(passphrase = this.passphrase): Promise<void> {
    await this.page.getByLabel('Passphrase', { exact: true }).fill(passphrase);
    await this.page.getByRole('button', { name: 'Unlock', exact: true }).click();
  }

  async lock(): Promise<void> {
    await this.page.getByRole('link', { name: 'Settings' }).click();
    await this.page.getByRole('button', { name: 'Lock now' }).click();
    await expect(this.page.getByRole('heading', { name: 'Welcome back' })).toBeVisible();
  }

  /** The chats, by the navigation: a page that was loaded again at once might have kept no session yet. */
  async chats(): Promise<void> {
    const back = this.page.getByRole('button', { name: 'Back to all chats' });
    if (await back.isVisible()) await back.click();
    else await this.page.getByRole('link', { name: 'Chats', exact: false }).first().click();
    await expect(this.page).toHaveURL('/chats');
  }

  /** The chats, connected. */
  async live(): Promise<void> {
    await this.chats();
    await expect(this.page.getByRole('button', { name: /^live/ })).toBeVisible({ timeout: 30_000 });
  }

  /** Begins a chat by handle. */
  async begin(who: string): Promise<void> {
    const { page } = this;
    await this.chats();
    await page.getByRole('button', { name: 'New chat' }).first().click();
    await page.getByLabel('Handle, handle@server or key').fill(who);
    await page.getByRole('button', { name: 'Start chat' }).click();
    await expect(this.composer).toBeFocused();
  }

  get composer() {
    return this.page.getByRole('textbox', { name: /^Message to/ });
  }

  get log() {
    return this.page.getByRole('log');
  }

  async say(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press('Enter');
  }

  /** The bubble with these words. */
  bubble(text: string) {
    return this.log.locator('.bubble').filter({ hasText: text });
  }

  /** How far a message of one's own has come. */
  async expectDelivery(text: string, ...delivery: string[]): Promise<void> {
    const tick = this.bubble(text).locator('[data-delivery]');
    await expect(tick).toHaveAttribute('data-delivery', new RegExp(`^(${delivery.join('|')})$`));
  }

  async #newPassphrase(): Promise<void> {
    await this.page.getByLabel(/assphrase for this device/).fill(this.passphrase);
    await this.page.getByLabel('The passphrase again').fill(this.passphrase);
  }
}

interface Options {
  /** Errors that a story brings about, such as a server that is away. */
  expected?: RegExp;
  colorScheme?: 'dark' | 'light';
  viewport?: { width: number; height: number };
  userAgent?: string;
}

interface Story {
  /** A browser with nothing in it, for somebody of this name. */
  person(name: string, options?: Options): Promise<BrowserPerson>;
  /** Skips a story where no mesh can be started. */
  possible: undefined;
}

let count = 0;

export const test = base.extend<Story, { mesh: Mesh }>({
  mesh: [
    // eslint-disable-next-line no-empty-pattern -- Playwright wants a pattern, even an empty one.
    async ({}, use) => {
      if (missing) throw new Error(missing);
      const mesh = await Mesh.start();
      await use(mesh);
      await mesh.stop();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  possible: [
    // eslint-disable-next-line no-empty-pattern -- Playwright wants a pattern, even an empty one.
    async ({}, use, story) => {
      story.skip(missing !== undefined, missing ?? '');
      await use(undefined);
    },
    { auto: true },
  ],
  person: async ({ browser, mesh }, use) => {
    const problems: string[] = [];
    const contexts: BrowserContext[] = [];
    await use(async (name, options = {}) => {
      const context = await open(browser, originOf(mesh), options);
      contexts.push(context);
      const page = await context.newPage();
      watch(page, problems, options.expected);
      return new BrowserPerson(context, page, `${name}-${(count++).toString(36)}${process.pid.toString(36)}`);
    });
    for (const context of contexts) await context.close();
    expect(problems, 'errors in the console, or of the content security policy').toEqual([]);
  },
});

export { expect };

/** By name, since WebAuthn knows no addresses of numbers. */
export function originOf(mesh: Mesh): string {
  return mesh.origin.replace('127.0.0.1', 'localhost');
}

async function open(
  browser: Browser,
  baseURL: string,
  { colorScheme, viewport, userAgent }: Options,
): Promise<BrowserContext> {
  const context = await browser.newContext({
    baseURL,
    permissions: ['clipboard-read', 'clipboard-write'],
    ...(colorScheme ? { colorScheme } : {}),
    ...(viewport ? { viewport } : {}),
    ...(userAgent ? { userAgent } : {}),
  });
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => {
      console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
    });
  });
  return context;
}

/** "There is none" is an answer, which browsers log as an error all the same. */
const ANSWERS = /status of 404 .*\/v1\/(u|by-primary|profile|sigchains)\//;

/** Collects what a page complains about. */
function watch(page: Page, problems: string[], expected?: RegExp): void {
  const complain = (text: string) => {
    if (!ANSWERS.test(text) && !expected?.test(text)) problems.push(text);
  };
  page.on('console', (message) => {
    if (message.type() === 'error') complain(`${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => complain(error.stack ?? error.message));
}
