// An account's life: made, locked, unlocked by passphrase and by a security key, restored elsewhere, one of several.
import { expect, test } from './story.ts';

test('an identity is made, and the address bar leads where it should', async ({ person }) => {
  const alice = await person('alice');
  const { page } = alice;
  await page.goto('/chats');
  await expect(page).toHaveURL('/');
  await page.getByRole('link', { name: 'Create an identity' }).click();
  const suffix = page.getByText('@localhost', { exact: true });
  await expect(suffix).toBeVisible();
  expect(await suffix.evaluate((span) => span.scrollWidth - span.clientWidth)).toBe(0);
  await page.goto('/trust');
  await page.getByRole('button', { name: 'Back' }).click();
  await expect(page).toHaveURL('/');
  await page.getByRole('link', { name: 'Create an identity' }).click();
  await page.getByLabel('Handle').fill('admin');
  await expect(page.getByText('This handle is reserved.')).toBeVisible();
  await page.getByLabel('Handle').fill('no');
  await alice.create();
  await page.getByRole('link', { name: 'Go to my chats' }).click();
  await alice.live();
  await expect(page.getByText('No conversations yet')).toBeVisible();
  await expect(page.getByText('Choose a conversation')).toBeHidden();
  await page.getByRole('link', { name: 'Identity' }).click();
  await expect(page.getByRole('heading', { name: 'Identity' })).toBeVisible();
  await expect(page.getByText(`${alice.handle}@localhost`).first()).toBeVisible();
  const again = await person('alice');
  await again.page.goto('/create');
  await again.page.getByLabel('Handle').fill(alice.handle);
  await expect(again.page.getByText('Somebody else has this handle.')).toBeVisible();
});

test('locked and unlocked again, in every tab', async ({ person }) => {
  const alice = await person('alice');
  await alice.create();
  await alice.live();
  const second = await alice.context.newPage();
  await second.goto('/chats');
  await expect(second.getByRole('heading', { name: 'Chats' })).toBeVisible();
  await alice.lock();
  await expect(second.getByRole('heading', { name: 'Welcome back' })).toBeVisible();
  await alice.unlock('not this one');
  await expect(alice.page.getByText('That is not the passphrase.')).toBeVisible();
  await alice.unlock();
  await alice.live();
});

test('the phrase is shown for the passphrase only, and brings the identity back in a blank browser', async ({
  person,
}) => {
  const alice = await person('alice');
  await alice.create();
  const { page } = alice;
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Show the recovery phrase' }).click();
  await page.getByLabel('Passphrase', { exact: true }).fill('wrong');
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByText('That is not the passphrase.')).toBeVisible();
  await page.getByLabel('Passphrase', { exact: true }).fill(alice.passphrase);
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByRole('list', { name: 'Recovery phrase' })).toContainText(alice.words[11] ?? '');

  const elsewhere = Object.assign(await person('blank'), { handle: alice.handle });
  await elsewhere.page.goto('/restore');
  const field = elsewhere.page.getByLabel('Recovery phrase or seed');
  await field.fill(`${alice.words.slice(0, 3).join(' ')} zzzz`);
  await expect(elsewhere.page.getByText('Word 4, “zzzz”, is not on the list.')).toBeVisible();
  const swapped = [alice.words[1], alice.words[0], ...alice.words.slice(2)].join(' ');
  await field.fill(swapped);
  await expect(elsewhere.page.locator('#secret-note')).toHaveText(
    /do not belong together|no handle at this server/,
  );
  await elsewhere.restore(`  ${alice.words.join('\n').toUpperCase()} `);
});

test('what a network has swallowed is asked again when it is back', async ({ person }) => {
  const away = 'The server cannot be reached at the moment.';
  const alice = await person('alice');
  await alice.create();
  const blank = await person('blank', { expected: /ERR_INTERNET_DISCONNECTED/ });
  const { page, context } = blank;
  const askedInVain = async (path: string, label: string, text: string) => {
    await page.goto(path);
    await page.waitForLoadState('networkidle');
    await context.setOffline(true);
    await page.getByLabel(label).fill(text);
    await expect(page.getByText(away)).toBeVisible();
    await context.setOffline(false);
  };
  await askedInVain('/create', 'Handle', blank.handle);
  await expect(page.getByText('This handle is free.')).toBeVisible();
  const list = alice.words.map((word, index) => `${index + 1}. ${word},`).join('\n');
  await askedInVain('/restore', 'Recovery phrase or seed', list);
  await expect(page.getByText(`This is ${alice.handle}@`)).toBeVisible();
  await expect(page.getByText(away)).toBeHidden();
});

test('whoever forgot the passphrase gets in with the phrase, and finds what was said here', async ({
  person,
  mesh,
}) => {
  const alice = await person('alice');
  await alice.create();
  const handle = `fg-${alice.handle}`.slice(0, 32);
  await mesh.person(handle);
  await alice.begin(handle);
  await alice.say('said before');
  await alice.expectDelivery('said before', 'sent', 'delivered');
  await alice.lock();
  alice.passphrase = 'another passphrase';
  await alice.restore(alice.words.join(' '));
  await alice.page.getByRole('link', { name: /said before/ }).click();
  await alice.say('said after');
  await alice.expectDelivery('said after', 'sent', 'delivered');
  await alice.lock();
  await alice.unlock();
  await alice.live();
});

test('a fingerprint unlocks, by the key that only it gives', async ({ person }) => {
  const alice = await person('alice');
  const client = await alice.context.newCDPSession(alice.page);
  await client.send('WebAuthn.enable');
  await client.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      ctap2Version: 'ctap2_1',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      hasPrf: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  await alice.create();
  await alice.page.getByRole('link', { name: 'Settings' }).click();
  await alice.page.getByRole('switch', { name: 'Unlock with fingerprint or face' }).click();
  await alice.page.getByLabel('Passphrase', { exact: true }).fill(alice.passphrase);
  await alice.page.getByRole('button', { name: 'Continue' }).click();
  await expect(alice.page.getByRole('switch', { name: 'Unlock with fingerprint or face' })).toBeChecked();
  await alice.page.getByRole('button', { name: 'Lock now' }).click();
  await alice.page.getByRole('button', { name: 'Use fingerprint or face' }).click();
  await alice.live();
});

test('two accounts in one browser do not mix', async ({ person }) => {
  const alice = await person('alice');
  await alice.create();
  await alice.page.getByRole('link', { name: 'Settings' }).click();
  await alice.page.getByRole('button', { name: 'Add an account' }).click();
  await expect(alice.page.getByRole('link', { name: 'Create an identity' })).toBeVisible();
  await expect(alice.page.getByText(`${alice.handle}@localhost is on this device.`)).toBeVisible();
});
