// Writes web/screenshots/: every page at two sizes, for the README and for whoever looks at a change. Only when asked to.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chatPath, paths } from '../src/routes.ts';
import { expect, test, type BrowserPerson } from './story.ts';

const folder = join(import.meta.dirname, '../screenshots');
const sizes = { 1280: { width: 1280, height: 800 }, 390: { width: 390, height: 844 } } as const;

test.skip(!process.env['KEZ_SCREENSHOTS'], 'KEZ_SCREENSHOTS is not set');

test('every page at 1280 and 390 pixels', async ({ person, mesh }) => {
  test.setTimeout(240_000);
  await mkdir(folder, { recursive: true });
  const alice = Object.assign(await person('alice', { colorScheme: 'dark' }), { handle: 'alice' });
  await shoot(alice, 'landing', paths.landing);
  await shoot(alice, 'create', paths.create);
  await shoot(alice, 'restore', paths.restore);
  await shoot(alice, 'trust', paths.trust);
  await shoot(alice, 'not-found', '/nothing-here');
  const bob = await mesh.person('bob');
  const carol = await mesh.person('carol');
  await alice.create();
  await shoot(alice, 'welcome', paths.welcome);
  await carol.kez('send', 'alice', 'The harbour master says Friday is fine.');
  await bob.kez('send', 'alice', 'Did you see the sunrise this morning?');
  await alice.begin('bob');
  await expect(alice.bubble('sunrise')).toBeVisible();
  await alice.say('I did! From the pier.');
  await alice.say(
    'The whole bay was pink for five minutes, then the fog came in and swallowed the lighthouse.',
  );
  await bob.kez('inbox');
  await bob.kez('send', 'alice', 'Then tomorrow at six, same place. The map is at https://example.org/pier');
  await expect(alice.bubble('tomorrow at six')).toBeVisible();
  await alice.say('I bring the coffee.');
  await alice.expectDelivery('I bring the coffee.', 'sent', 'delivered');
  await shoot(alice, 'chat', chatPath(bob.primary));
  await shoot(alice, 'chats', paths.chats);
  await shoot(alice, 'identity', paths.identity);
  await shoot(alice, 'claims', paths.claims);
  await shoot(alice, 'add-claim', paths['add-claim']);
  await shoot(alice, 'settings', paths.settings);
  await alice.page.emulateMedia({ colorScheme: 'light' });
  await shoot(alice, 'chat-light', chatPath(bob.primary));
  await alice.lock();
  await alice.page.emulateMedia({ colorScheme: 'dark' });
  await shoot(alice, 'unlock', paths.unlock);
});

async function shoot({ page }: BrowserPerson, name: string, path: string): Promise<void> {
  for (const [width, size] of Object.entries(sizes)) {
    await page.setViewportSize(size);
    await page.goto(path);
    await expect(page.locator('#content')).toBeVisible();
    await page.waitForLoadState('networkidle');
    await page.screenshot({
      path: join(folder, `${name}-${width}.png`),
      animations: 'disabled',
      caret: 'hide',
    });
  }
}
