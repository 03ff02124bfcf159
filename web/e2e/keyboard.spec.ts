// Everything by keyboard, on the smallest screen too, and what a screen reader is told.
import { expect, test } from './story.ts';

test('from the first page into a chat without a mouse', async ({ person, mesh }) => {
  const alice = await person('alice', { viewport: { width: 320, height: 640 } });
  await alice.create();
  const handle = `kb-${alice.handle}`.slice(0, 32);
  const carol = await mesh.person(handle);
  await carol.kez('send', alice.handle, 'reached by keyboard');
  const { page } = alice;
  await alice.live();
  // Who it is from is looked up, and is what is searched for.
  await expect(page.getByRole('link', { name: /reached by keyboard/ })).toContainText(handle);
  await page.keyboard.press('Control+k');
  await expect(page.getByRole('combobox')).toBeFocused();
  await page.keyboard.type(handle.slice(0, 6));
  await page.keyboard.press('Enter');
  await expect(alice.composer).toBeFocused();
  await page.keyboard.type('answered');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('on two lines');
  await page.keyboard.press('Enter');
  await expect(alice.bubble('answered\non two lines')).toBeVisible();
  await expect(alice.composer).toBeFocused();
  await page.keyboard.press('Control+/');
  await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  await page.getByRole('button', { name: 'Emoji' }).focus();
  await page.keyboard.press('Enter');
  await page.keyboard.type('rocket');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(alice.composer).toHaveValue('🚀');
  await alice.composer.fill('');
  await page.keyboard.press('Escape');
  await expect(page).toHaveURL('/chats');
  await expect(page.getByRole('heading', { name: 'Chats' })).toBeVisible();
  const row = page.getByRole('link', { name: /on two lines/ });
  await expect(row).toBeFocused();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Back to all chats' }).press('Enter');
  await expect(row).toBeFocused();
});

test('what is heard: a log that speaks politely, names and states', async ({ person, mesh }) => {
  const alice = await person('alice');
  await alice.create();
  const handle = `sr-${alice.handle}`.slice(0, 32);
  await mesh.person(handle);
  await alice.begin(handle);
  await alice.say('hear me');
  await alice.expectDelivery('hear me', 'sent', 'delivered');
  await expect(alice.log).toHaveAttribute('aria-live', 'polite');
  await expect(alice.log).toHaveAccessibleName(`Messages with ${handle}`);
  await expect(alice.bubble('hear me')).toContainText('You:');
  await expect(alice.bubble('hear me').getByRole('img')).toHaveAccessibleName(/Sent|Delivered/);
  await expect(alice.page.getByRole('navigation', { name: 'Main' }).getByRole('link')).toHaveCount(3);
  await expect(alice.page.getByRole('link', { name: 'Chats' })).toHaveAttribute('aria-current', 'page');
});
