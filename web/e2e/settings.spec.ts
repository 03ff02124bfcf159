// What can be chosen and taken along: colours, the way to send, another passphrase, an archive, devices.
import type { Page } from '@playwright/test';
import { BrowserPerson, expect, test } from './story.ts';

test('colours are chosen and kept; Enter may break the line', async ({ person, mesh }) => {
  const alice = await person('alice', { colorScheme: 'dark' });
  await alice.create();
  await alice.live();
  await alice.page.getByRole('link', { name: 'Settings' }).click();
  // The smallest screen has the three in one row.
  await alice.page.setViewportSize({ width: 320, height: 640 });
  const colours = alice.page.getByRole('radio', { name: /As the system|Dark|Light/ }).locator('..');
  await expect(colours).toHaveCount(3);
  expect(
    new Set(await colours.evaluateAll((labels) => labels.map((label) => label.getBoundingClientRect().top)))
      .size,
  ).toBe(1);
  await alice.page.setViewportSize({ width: 1280, height: 720 });
  await alice.page.getByRole('link', { name: 'What this server could do to you' }).click();
  await alice.page.getByRole('button', { name: 'Back' }).click();
  await expect(alice.page).toHaveURL('/settings');
  await alice.page.getByRole('radio', { name: 'Light' }).check();
  await expect(alice.page.locator('html')).toHaveAttribute('data-theme', 'light');
  await alice.page.getByRole('switch', { name: 'Enter sends' }).click();
  await alice.page.reload();
  await expect(alice.page.locator('html')).toHaveAttribute('data-theme', 'light');
  await expect(alice.page.getByRole('switch', { name: 'Enter sends' })).not.toBeChecked();
  const handle = `st-${alice.handle}`.slice(0, 32);
  await mesh.person(handle);
  await alice.begin(handle);
  await alice.composer.fill('one');
  await alice.composer.press('Enter');
  await expect(alice.composer).toHaveValue('one\n');
  await alice.composer.press('Control+Enter');
  await expect(alice.bubble('one')).toBeVisible();
});

/** The settings of somebody in two tabs of theirs. */
async function twoTabs(alice: BrowserPerson): Promise<[Page, Page]> {
  await alice.create();
  await alice.live();
  const other = new BrowserPerson(alice.context, await alice.context.newPage(), alice.handle);
  await other.page.goto('/settings');
  await other.live();
  for (const { page } of [alice, other]) await page.getByRole('link', { name: 'Settings' }).click();
  return [alice.page, other.page];
}

test('what is chosen in one tab holds in the other, which takes nothing back', async ({ person }) => {
  const [page, other] = await twoTabs(await person('alice', { colorScheme: 'dark' }));
  const lockAfter = (tab: Page) => tab.getByLabel('Lock by itself');
  const receipts = (tab: Page) => tab.getByRole('switch', { name: 'Tell others that I have read' });
  await lockAfter(page).selectOption('5');
  await receipts(page).click();
  await expect(lockAfter(other)).toHaveValue('5');
  await expect(receipts(other)).not.toBeChecked();
  await other.getByRole('radio', { name: 'Light' }).check();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'light');
  await other.reload();
  await expect(lockAfter(other)).toHaveValue('5');
  await expect(receipts(other)).not.toBeChecked();
});

test('whether a page that is loaded again asks for the passphrase is chosen at once, for all tabs', async ({
  person,
}) => {
  const alice = await person('alice');
  const [page, other] = await twoTabs(alice);
  const stays = (tab: Page) =>
    tab.getByRole('switch', { name: 'Stay unlocked when the page is loaded again' });
  await expect.poll(() => sessions(page)).toBe(1);
  await stays(page).click();
  await expect(stays(other)).not.toBeChecked();
  await expect.poll(() => sessions(page)).toBe(0);
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Welcome back' })).toBeVisible();
  // Nobody has locked: the other tab is as it was.
  await stays(other).click();
  await expect.poll(() => sessions(other)).toBe(1);
  await other.reload();
  await expect(stays(other)).toBeChecked();
  await page.reload();
  await expect(stays(page)).toBeChecked();
});

/** How many accounts a page that is loaded now would find open. */
async function sessions(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const names = (await indexedDB.databases()).map(({ name }) => name ?? '');
    let count = 0;
    for (const name of names)
      count += await new Promise<number>((resolve, reject) => {
        const opening = indexedDB.open(name);
        opening.onerror = () => reject(opening.error ?? new Error('no database'));
        opening.onsuccess = () => {
          const database = opening.result;
          const has = database.objectStoreNames.contains('sessions');
          if (!has) resolve(0);
          else {
            const counting = database.transaction('sessions').objectStore('sessions').count();
            counting.onsuccess = () => resolve(counting.result);
          }
          database.close();
        };
      });
    return count;
  });
}

test('another passphrase unlocks, and the one before does not', async ({ person }) => {
  const alice = await person('alice');
  await alice.create();
  const { page } = alice;
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Change the passphrase' }).click();
  await page.getByLabel('Passphrase until now').fill(alice.passphrase);
  await page.getByLabel('New passphrase').fill('quite another one');
  await page.getByLabel('The passphrase again').fill('quite another one');
  await page.getByRole('button', { name: 'Change', exact: true }).click();
  await expect(page.getByText('The passphrase was changed.')).toBeVisible();
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('button', { name: 'Lock now' }).click();
  await alice.unlock();
  await expect(page.getByText('That is not the passphrase.')).toBeVisible();
  await alice.unlock('quite another one');
  await alice.live();
});

test('an archive carries what was said into another browser', async ({ person, mesh }) => {
  const alice = await person('alice');
  await alice.create();
  const handle = `ar-${alice.handle}`.slice(0, 32);
  await mesh.person(handle);
  await alice.begin(handle);
  await alice.say('worth keeping');
  await alice.expectDelivery('worth keeping', 'sent', 'delivered');
  await alice.page.getByRole('link', { name: 'Settings' }).click();
  await alice.page.getByRole('button', { name: 'Export' }).click();
  const dialog = alice.page.getByRole('dialog');
  await dialog.getByLabel('Passphrase of the archive').fill('for the archive');
  await dialog.getByLabel('The passphrase again').fill('for the archive');
  const [download] = await Promise.all([
    alice.page.waitForEvent('download'),
    dialog.getByRole('button', { name: 'Export' }).click(),
  ]);
  await expect(alice.page.getByText('The archive was written.')).toBeVisible();

  const elsewhere = Object.assign(await person('blank'), { handle: alice.handle });
  await elsewhere.restore(alice.words.join(' '));
  await elsewhere.page.getByRole('link', { name: 'Settings' }).click();
  await elsewhere.page.getByRole('button', { name: 'Import' }).click();
  const other = elsewhere.page.getByRole('dialog');
  await other.getByLabel('File').setInputFiles(await download.path());
  await other.getByLabel('Passphrase of the archive').fill('for the archive');
  await other.getByRole('button', { name: 'Import' }).click();
  await expect(elsewhere.page.getByText('1 messages were added')).toBeVisible();
  await elsewhere.chats();
  await expect(elsewhere.page.getByRole('link', { name: /worth keeping/ })).toBeVisible();
});

test('a device that is lost is revoked from another one', async ({ person }) => {
  const alice = await person('alice');
  await alice.create();
  await alice.live();
  const lost = Object.assign(await person('lost'), { handle: alice.handle });
  await lost.restore(alice.words.join(' '));
  await lost.page.getByRole('link', { name: 'Settings' }).click();
  await expect(lost.page.getByText('this browser', { exact: true })).toBeVisible();
  await lost.context.close();
  await alice.page.getByRole('link', { name: 'Settings' }).click();
  await expect(alice.page.getByText('this browser', { exact: true })).toBeVisible();
  await expect(alice.page.getByRole('button', { name: 'Revoke' })).toHaveCount(1);
  await alice.page.getByRole('button', { name: 'Revoke' }).click();
  await alice.page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await expect(alice.page.getByRole('button', { name: 'Revoke' })).toHaveCount(0);
  await expect(alice.page.getByText('this browser', { exact: true })).toBeVisible();
});
