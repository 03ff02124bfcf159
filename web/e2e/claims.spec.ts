// Accounts elsewhere: claimed, seen by others, revoked; and a profile.
import { expect, test } from './story.ts';

test('an account is claimed, seen, checked and revoked', async ({ person }) => {
  const [alice, bob] = [await person('alice'), await person('bob')];
  await alice.create();
  await bob.create();
  const { page } = alice;
  await page.getByRole('link', { name: 'Identity' }).click();
  await page.getByRole('link', { name: 'Connect an account' }).click();
  await page.getByRole('button', { name: /^Domain/ }).click();
  for (const unfinished of ['', 'localhost', 'foo bar']) {
    await page.getByLabel('Domain').fill(unfinished);
    await expect(page.getByText('For example example.org', { exact: true })).toBeVisible();
  }
  await page.getByLabel('Domain').fill('kez-story.invalid');
  await page.getByRole('button', { name: 'Sign the claim' }).click();
  await expect(page.getByText('_kez.kez-story.invalid')).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Publish this claim' })).toBeFocused();
  await expect(page.getByLabel('TXT record').last()).toContainText('kez:z1:');
  await page.getByRole('button', { name: 'I have published it' }).click();
  await expect(page.getByRole('region', { name: 'Check' })).toBeFocused();
  await expect(page.getByText(/Not verified|Not reachable/).first()).toBeVisible({ timeout: 30_000 });

  await bob.begin(alice.handle);
  await bob.page.getByRole('button', { name: /^About/ }).click();
  await expect(bob.page.getByRole('dialog').getByText('kez-story.invalid')).toBeVisible();

  await page.getByRole('link', { name: 'To my accounts' }).click();
  // After a reload the identity's own key is not in memory: the passphrase brings it back.
  await page.reload();
  await page.getByRole('button', { name: 'Revoke' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await page.getByLabel('Passphrase', { exact: true }).fill(alice.passphrase);
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByText('kez-story.invalid')).toBeHidden();
});

test('a display name is what friends see', async ({ person }) => {
  const [alice, bob] = [await person('alice'), await person('bob')];
  await alice.create();
  await bob.create();
  await alice.page.getByRole('link', { name: 'Identity' }).click();
  await alice.page.getByLabel('Display name').fill('Alice \u202Eof\u202C Wonderland');
  await alice.page.getByRole('button', { name: 'Save profile' }).click();
  await expect(alice.page.getByRole('button', { name: 'Save profile' })).toBeDisabled();
  await bob.begin(alice.handle);
  await expect(bob.page.getByRole('heading', { name: 'Alice of Wonderland' })).toBeVisible();
});
