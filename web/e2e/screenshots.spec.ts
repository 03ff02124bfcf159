// Writes web/screenshots/: every page at two sizes, for the README and for whoever looks at a change. Only when asked to.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { paths } from '../src/routes.ts';
import { mountains, sunset } from './paintings.ts';
import { expect, test, type BrowserPerson } from './story.ts';

const folder = join(import.meta.dirname, '../screenshots');
const sizes = { 1280: { width: 1280, height: 800 }, 390: { width: 390, height: 844 } } as const;

test.skip(!process.env['KEZ_SCREENSHOTS'], 'KEZ_SCREENSHOTS is not set');

test('every page at 1280 and 390 pixels', async ({ person, mesh }) => {
  test.setTimeout(240_000);
  await mkdir(folder, { recursive: true });
  const alice = Object.assign(await person('alice', { colorScheme: 'dark' }), { handle: 'alice' });
  // A browser without a window says no to notifications before anybody is asked.
  await alice.page.context().grantPermissions(['notifications']);
  await shoot(alice, 'landing', paths.landing);
  await shoot(alice, 'create', paths.create);
  await shoot(alice, 'restore', paths.restore);
  await shoot(alice, 'trust', paths.trust);
  await shoot(alice, 'not-found', '/nothing-here');
  const bob = Object.assign(await person('bob'), { handle: 'bob' });
  const carol = await mesh.person('carol');
  await bob.create();
  await show(bob, sunset());
  await alice.create();
  await shoot(alice, 'welcome', paths.welcome);
  await carol.kez('send', 'alice', 'The harbour master says Friday is fine.');
  await show(alice, mountains());
  await bob.begin('alice');
  await bob.say('Did you see the sunset last night?');
  await alice.begin('bob');
  await expect(alice.bubble('sunset')).toBeVisible();
  await alice.say('I did! From the pier.');
  await alice.say(
    'The whole bay was pink for five minutes, then the fog came in and swallowed the lighthouse.',
  );
  await bob.say('Then today at six, same place. The map is at https://example.org/pier');
  await expect(alice.bubble('today at six')).toBeVisible();
  await alice.say('I bring the coffee.');
  await alice.expectDelivery('I bring the coffee.', 'read');
  const chat = new URL(alice.page.url()).pathname;
  await expect(alice.page.getByRole('button', { name: /^About/ }).locator('img')).toBeVisible();
  await shoot(alice, 'chat', chat);
  await shoot(alice, 'chats', paths.chats);
  await shoot(alice, 'identity', paths.identity);
  await shoot(alice, 'claims', paths.claims);
  await shoot(alice, 'add-claim', paths['add-claim']);
  await shoot(alice, 'settings', paths.settings);
  await shoot(alice, 'strangers', paths.settings, '[data-face=strangers]');
  await alice.page.emulateMedia({ colorScheme: 'light' });
  await shoot(alice, 'chat-light', chat);
  await alice.lock();
  await alice.page.emulateMedia({ colorScheme: 'dark' });
  await shoot(alice, 'unlock', paths.unlock);
});

/** Puts a picture into somebody's profile; after a page was loaded again that needs the passphrase. */
async function show({ page, passphrase }: BrowserPerson, file: ReturnType<typeof sunset>): Promise<void> {
  await page.getByRole('link', { name: 'Identity' }).first().click();
  await page.locator('input[type=file]').setInputFiles(file);
  const asked = page.getByRole('dialog').getByLabel('Passphrase', { exact: true });
  const face = page.locator('main button img').first();
  await expect(asked.or(face)).toBeVisible();
  if (await asked.isVisible()) {
    await asked.fill(passphrase);
    await asked.press('Enter');
  }
  await expect(face).toBeVisible();
}

/** `part` is what the page is scrolled to. */
async function shoot({ page }: BrowserPerson, name: string, path: string, part?: string): Promise<void> {
  for (const [width, size] of Object.entries(sizes)) {
    await page.setViewportSize(size);
    await page.goto(path);
    await expect(page.locator('#content')).toBeVisible();
    await page.waitForLoadState('networkidle');
    if (part) await page.locator(part).evaluate((found) => found.scrollIntoView({ block: 'center' }));
    await page.screenshot({
      path: join(folder, `${name}-${width}.png`),
      animations: 'disabled',
      caret: 'hide',
    });
  }
}
