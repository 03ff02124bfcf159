// Two accounts of one browser: one after the other and side by side, each with its own mail and nothing of the other's.
import type { CliPerson } from './mesh.ts';
import { BrowserPerson, expect, test } from './story.ts';

test('two accounts are switched between, and nothing of one is seen in the other', async ({
  person,
  mesh,
}) => {
  const { alice, bea, carol } = await household(person, mesh);
  const { page } = bea;
  await page.getByRole('link', { name: new RegExp(carol.handle) }).click();
  await expect(bea.bubble('for bea only')).toBeVisible();
  await bea.composer.fill('a draft of bea');
  await carol.kez('send', alice.handle, 'and while alice is locked');
  await switchTo(bea, alice);
  await alice.live();
  await page.getByRole('link', { name: /and while alice is locked/ }).click();
  await expect(alice.bubble('for alice only')).toBeVisible();
  await expect(alice.composer).toHaveValue('');
  await expect(page.locator('body')).not.toContainText('bea only');
  await alice.chats();
  await page.keyboard.press('Control+f');
  await page.keyboard.type('only');
  await expect(page.getByRole('link', { name: /for alice only/ }).last()).toBeVisible();
  await expect(page.locator('body')).not.toContainText('bea');
  await page.keyboard.press('Escape');
  await switchTo(alice, bea);
  await bea.live();
  await page.getByRole('link', { name: /Draft: a draft of bea/ }).click();
  await expect(bea.composer).toHaveValue('a draft of bea');
  await expect(page.locator('body')).not.toContainText('alice only');
});

test('two accounts are open in two tabs at once, and both receive', async ({ person, mesh }) => {
  const { alice, bea, carol } = await household(person, mesh);
  const other = new BrowserPerson(bea.context, await bea.context.newPage(), alice.handle, alice.passphrase);
  await other.page.goto('/chats');
  await switchTo(new BrowserPerson(bea.context, other.page, bea.handle, bea.passphrase), other);
  await other.live();
  // Switching has locked the first account everywhere.
  await bea.unlock();
  await bea.live();
  await carol.kez('send', alice.handle, 'now to alice');
  await carol.kez('send', bea.handle, 'now to bea');
  await expect(other.page.getByRole('link', { name: /now to alice/ })).toBeVisible();
  await expect(bea.page.getByRole('link', { name: /now to bea/ })).toBeVisible();
  await expect(other.page.locator('body')).not.toContainText('to bea');
  await expect(bea.page.locator('body')).not.toContainText('to alice');
  await other.begin(carol.handle);
  await other.say('from alice');
  await bea.begin(carol.handle);
  await bea.say('from bea');
  await other.expectDelivery('from alice', 'sent', 'delivered');
  await bea.expectDelivery('from bea', 'sent', 'delivered');
  const mail = (await carol.inbox()).map(({ handle, body }) => [handle, (body as { text?: string }).text]);
  expect(mail).toContainEqual([alice.handle, 'from alice']);
  expect(mail).toContainEqual([bea.handle, 'from bea']);
  await other.lock();
  await expect(bea.bubble('from bea')).toBeVisible();
});

interface Household {
  alice: BrowserPerson;
  bea: BrowserPerson;
  carol: CliPerson;
}

/** Two accounts in one browser, the second of them unlocked; somebody has written to each. */
async function household(
  person: (name: string) => Promise<BrowserPerson>,
  mesh: { person(handle: string): Promise<CliPerson> },
): Promise<Household> {
  const alice = await person('alice');
  await alice.create();
  await alice.live();
  const carol = await mesh.person(`ca-${alice.handle}`.slice(0, 32));
  await carol.kez('send', alice.handle, 'for alice only');
  await expect(alice.page.getByRole('link', { name: /for alice only/ })).toBeVisible();
  await alice.page.getByRole('link', { name: 'Settings' }).click();
  await alice.page.getByRole('button', { name: 'Add an account' }).click();
  await expect(alice.page.getByText(`${alice.handle}@localhost is on this device.`)).toBeVisible();
  const bea = new BrowserPerson(alice.context, alice.page, `bea-${alice.handle}`.slice(0, 32));
  await bea.create();
  await bea.live();
  await expect(bea.page.getByText('No conversations yet')).toBeVisible();
  await carol.kez('send', bea.handle, 'for bea only');
  await expect(bea.page.getByRole('link', { name: /for bea only/ })).toBeVisible();
  return { alice, bea, carol };
}

/** From one account to another in the same tab. */
async function switchTo(from: BrowserPerson, to: BrowserPerson): Promise<void> {
  const { page } = from;
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Switch' }).click();
  await expect(page.getByText(`${to.handle}@localhost`).first()).toBeVisible();
  await to.unlock();
}
