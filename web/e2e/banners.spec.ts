// What has to be said above every page: a newer version, installing, a clock that is wrong; and a browser that has deleted
// everything.
import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { check } from './fit.ts';
import { Mesh, WEB } from './mesh.ts';
import { expect, test as story } from './story.ts';

/** The pages that are served here are a copy, so that a story can put a newer version in their place. */
const test = story.extend<object, { pages: string }>({
  pages: [
    // eslint-disable-next-line no-empty-pattern -- Playwright wants a pattern, even an empty one.
    async ({}, use) => {
      const pages = await mkdtemp(join(tmpdir(), 'kez-pages-'));
      await cp(WEB, pages, { recursive: true });
      await use(pages);
      await rm(pages, { recursive: true, force: true });
    },
    { scope: 'worker' },
  ],
  mesh: [
    async ({ pages }, use) => {
      const mesh = await Mesh.start(pages);
      await use(mesh);
      await mesh.stop();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
});

test('a newer version is offered, and taken when the person says so', async ({ person, pages }) => {
  const alice = await person('alice');
  await alice.create();
  const { page } = alice;
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await expect(page.getByText('A newer version of Kez is ready.')).toBeHidden();
  await release(pages, 'newer');
  await page.reload();
  await expect(page.getByText('A newer version of Kez is ready.')).toBeVisible();
  await expect(version(page)).toHaveCount(0);
  await page.getByRole('button', { name: 'Later' }).click();
  await expect(page.getByText('A newer version of Kez is ready.')).toBeHidden();
  await page.reload();
  // Nothing of it comes by itself, however often the page is opened.
  await expect(version(page)).toHaveCount(0);
  await page.getByRole('button', { name: 'Update' }).click();
  await expect(version(page)).toHaveAttribute('content', 'newer');
  await expect(page.getByText('A newer version of Kez is ready.')).toBeHidden();
  await alice.live();
});

test('an update that was taken in one tab leaves none of the others blank', async ({ person, pages }) => {
  const alice = await person('alice');
  await alice.create();
  await alice.live();
  const [second, third] = [await alice.context.newPage(), await alice.context.newPage()];
  for (const page of [second, third]) {
    await page.goto('/chats');
    await expect(page.getByRole('heading', { name: 'Chats' })).toBeVisible();
  }
  const [old] = (await readdir(join(pages, 'assets'))).filter((name) => /^Settings-.*\.js$/.test(name));
  if (!old) throw new Error('the settings are not loaded late');
  await release(pages, 'newest', `/assets/${old}`);
  await rename(join(pages, 'assets', old), join(pages, old));
  await alice.page.reload();
  await alice.page.getByRole('button', { name: 'Update' }).click();
  await expect(version(alice.page)).toHaveAttribute('content', 'newest');

  // What the browser has kept of its own accord goes, sooner or later.
  await (await alice.context.newCDPSession(second)).send('Network.clearBrowserCache');
  await second.getByRole('link', { name: 'Settings' }).click();
  await expect(second.getByRole('alert')).toContainText('This part of Kez could not be loaded');
  await check(second, 'a page that did not come');
  await rename(join(pages, old), join(pages, 'assets', old));
  await second.getByRole('button', { name: 'Load Kez again' }).click();
  await expect(version(second)).toHaveAttribute('content', 'newest');
  await expect(second.getByRole('button', { name: 'Lock now' })).toBeVisible();

  // The offer still stands in the last one, whose version is the newest already.
  await third.getByRole('button', { name: 'Update' }).click();
  await expect(version(third)).toHaveAttribute('content', 'newest');
});

test('installing is offered once, and done when the person says so', async ({ person }) => {
  const alice = await person('alice');
  await alice.create();
  const { page } = alice;
  const offer = page.getByText('Install Kez as an app: it starts by itself and works offline.');
  await expect(offer).toBeHidden();
  await canInstall(page);
  await expect(offer).toBeVisible();
  await page.getByRole('button', { name: 'Install', exact: true }).first().click();
  expect(await page.evaluate(() => 'asked' in window)).toBe(true);
  await expect(offer).toBeHidden();
  await page.reload();
  await canInstall(page);
  await page.getByRole('button', { name: 'Later' }).click();
  await page.reload();
  await alice.live();
  await canInstall(page);
  await expect(offer).toBeHidden();
});

test('on an iPhone the way to install is said', async ({ person }) => {
  const agent =
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1';
  const alice = await person('alice', { userAgent: agent, viewport: { width: 390, height: 844 } });
  await alice.create();
  await alice.chats();
  await expect(alice.page.getByText('To install Kez, tap Share, then “Add to Home Screen”.')).toBeVisible();
});

test('a clock that is wrong is told, and what fails because of it', async ({ person }) => {
  const alice = await person('alice', { expected: /status of 400/ });
  const { page } = alice;
  await runAhead(page, 10);
  await page.goto('/create');
  await alice.create().catch(() => undefined);
  await expect(page.getByText('The clock of this device is wrong.')).toBeVisible();
  await runAhead(page, 0);
  await alice.create();
  await runAhead(page, 3);
  await page.reload();
  await alice.live();
  await expect(page.getByText(/^The clock of this device is 3 minutes ahead\./)).toBeVisible();
  await expect(page.getByText('As long as it is that wrong')).toBeHidden();
  await runAhead(page, -20);
  await page.reload();
  await expect(
    page.getByText(
      /^The clock of this device is 20 minutes behind\..* what you write carries the wrong time\.$/,
    ),
  ).toBeVisible();
  await alice.live();
});

test('a browser that has deleted everything says so, and the phrase brings the identity back', async ({
  person,
}) => {
  const alice = await person('alice');
  await alice.create();
  await alice.live();
  const { page } = alice;
  const client = await alice.context.newCDPSession(page);
  await client.send('Storage.clearDataForOrigin', {
    origin: new URL(page.url()).origin,
    storageTypes: 'indexeddb',
  });
  await page.goto('/chats');
  await expect(page.getByText('This browser has deleted what Kez kept')).toBeVisible();
  await page.getByRole('link', { name: 'Restore', exact: true }).click();
  await expect(page).toHaveURL('/restore');
  await alice.restore(alice.words.join(' '));
  await page.reload();
  await alice.live();
});

/** Another version of the page and of the service worker that keeps it, perhaps without a file that it needs no more. */
async function release(pages: string, name: string, without = ''): Promise<void> {
  const [page, worker] = [join(pages, 'index.html'), join(pages, 'service-worker.js')];
  const head = `<head><meta name="version" content="${name}">`;
  await writeFile(page, (await readFile(page, 'utf8')).replace(/<head>(<meta name="version"[^>]*>)?/, head));
  const script = (await readFile(worker, 'utf8'))
    .replace(/VERSION="[^"]*"/, `VERSION="${name}"`)
    .replace(`"${without}",`, '');
  await writeFile(worker, script);
  for (const file of [page, worker])
    for (const suffix of ['.gz', '.br']) await rm(file + suffix, { force: true });
}

function version(page: Page) {
  return page.locator('meta[name=version]');
}

/** What Chromium says of itself when a page can be installed; it never does in tests. */
async function canInstall(page: Page): Promise<void> {
  await page.evaluate(() => {
    const prompt = async () => void Object.assign(window, { asked: true });
    dispatchEvent(Object.assign(new Event('beforeinstallprompt', { cancelable: true }), { prompt }));
  });
}

/** From the next page on the clock is ahead by so many minutes. */
async function runAhead(page: Page, minutes: number): Promise<void> {
  await page.addInitScript((ahead) => {
    const real = Date.now.bind(Date);
    const known = (globalThis as { realNow?: () => number }).realNow ?? real;
    Object.assign(globalThis, { realNow: known });
    Date.now = () => known() + ahead;
  }, minutes * 60_000);
}
