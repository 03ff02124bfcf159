// Notifications arranged: offered at a good moment, turned on and off, told to the server again when it or the browser has lost
// them, and refused.
import type { Page } from '@playwright/test';
import { check } from './fit.ts';
import { endpointOf, givePush, loseSubscription, Registered } from './push-network.ts';
import { Sleeper } from './sleeper.ts';
import { BrowserPerson, expect, originOf, test } from './story.ts';

const NAME = 'Tell me of messages while Kez is closed';

async function turnOn(page: Page): Promise<string> {
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('switch', { name: NAME }).click();
  await expect(page.getByRole('switch', { name: NAME })).toBeChecked();
  return (await endpointOf(page)) ?? '';
}

test('they are offered once somebody has written, and not before', async ({ person, mesh }) => {
  const alice = await person('alice');
  await givePush(alice.context, originOf(mesh));
  await alice.create();
  await alice.live();
  const { page } = alice;
  const offer = page.getByText('Be told of messages while Kez is closed?');
  await expect(page.getByText('No conversations yet')).toBeVisible();
  await expect(offer).toBeHidden();
  const bob = await mesh.person(`b-${alice.handle}`.slice(0, 32));
  await bob.kez('send', alice.handle, 'the first one');
  await expect(offer).toBeVisible();
  await check(page, 'the offer');
  await page.getByRole('button', { name: 'Turn on' }).click();
  await expect(offer).toBeHidden();
  await page.getByRole('link', { name: 'Settings' }).click();
  await expect(page.getByRole('switch', { name: NAME })).toBeChecked();
  await check(page, 'notifications that are on');
});

test('whoever does not want them is not asked again', async ({ person, mesh }) => {
  const alice = await person('alice');
  await givePush(alice.context, originOf(mesh));
  await alice.create();
  const bob = await mesh.person(`n-${alice.handle}`.slice(0, 32));
  await bob.kez('send', alice.handle, 'hello');
  await alice.live();
  await alice.page.getByRole('button', { name: 'No, thanks' }).click();
  await alice.page.reload();
  await expect(alice.page.getByRole('link', { name: /hello/ })).toBeVisible();
  await expect(alice.page.getByText('Be told of messages while Kez is closed?')).toBeHidden();
});

test('on, tested, and off', async ({ person, mesh }) => {
  const alice = await person('alice');
  await givePush(alice.context, originOf(mesh));
  await alice.create();
  await alice.live();
  const { page } = alice;
  const registered = new Registered(alice, originOf(mesh));
  const endpoint = await turnOn(page);
  expect(await registered.endpoints()).toEqual([endpoint]);
  await page.getByRole('button', { name: 'Send a test' }).click();
  // The story's push network has no address.
  await expect(page.getByText('The server could not reach the push network.')).toBeVisible({
    timeout: 20_000,
  });
  await page.reload();
  await expect(page.getByRole('switch', { name: NAME })).toBeChecked();
  await page.getByRole('switch', { name: NAME }).click();
  await expect(page.getByRole('switch', { name: NAME })).not.toBeChecked();
  expect(await registered.endpoints()).toEqual([]);
  expect(await endpointOf(page)).toBeUndefined();
});

test('off before the page is connected: the server hears of it as soon as it can, and nothing is turned on again', async ({
  person,
  mesh,
}) => {
  const alice = await person('alice');
  await givePush(alice.context, originOf(mesh));
  await alice.create();
  await alice.live();
  const { page } = alice;
  const registered = new Registered(alice, originOf(mesh));
  const endpoint = await turnOn(page);
  expect(await registered.endpoints()).toEqual([endpoint]);
  let goOn: () => void = () => undefined;
  const held = new Promise<void>((done) => (goOn = done));
  await page.route('**/v1/config', async (route) => {
    await held;
    await route.continue();
  });
  await alice.chats();
  await page.reload();
  await expect(page.getByRole('button', { name: /^connecting/ })).toBeVisible();
  await page.getByRole('link', { name: 'Settings' }).click();
  const toggle = page.getByRole('switch', { name: NAME });
  await expect(toggle).toBeChecked();
  await toggle.click();
  goOn();
  await expect(toggle).not.toBeChecked();
  await alice.live();
  expect(await registered.endpoints()).toEqual([]);
  expect(await endpointOf(page)).toBeUndefined();
});

test('what the server has lost it is told again, and what the browser has lost is made anew', async ({
  person,
  mesh,
}) => {
  const alice = await person('alice');
  await givePush(alice.context, originOf(mesh));
  await alice.create();
  await alice.live();
  const { page } = alice;
  const registered = new Registered(alice, originOf(mesh));
  const endpoint = await turnOn(page);
  await registered.forget(endpoint);
  expect(await registered.endpoints()).toEqual([]);
  await alice.lock();
  await alice.unlock();
  await expect.poll(() => registered.endpoints()).toEqual([endpoint]);

  await loseSubscription(page);
  await page.reload();
  await alice.live();
  await expect.poll(() => registered.endpoints()).not.toEqual([endpoint]);
  await expect.poll(() => registered.endpoints()).toEqual([await endpointOf(page)]);

  const second = await endpointOf(page);
  const sleeper = await Sleeper.of(alice, originOf(mesh));
  await loseSubscription(page);
  await sleeper.changeSubscription();
  await expect.poll(() => endpointOf(page)).toMatch(/^https:/);
  await expect.poll(() => registered.endpoints()).toEqual([await endpointOf(page)]);
  expect(await endpointOf(page)).not.toBe(second);
});

test('a browser that does not allow them says how to allow them', async ({ person, mesh }) => {
  const alice = await person('alice');
  const session = await alice.context.newCDPSession(alice.page);
  await session.send('Browser.setPermission', {
    permission: { name: 'notifications' },
    setting: 'denied',
    origin: originOf(mesh),
  });
  await alice.create();
  const bob = await mesh.person(`d-${alice.handle}`.slice(0, 32));
  await bob.kez('send', alice.handle, 'hello');
  await alice.live();
  await expect(alice.page.getByRole('link', { name: /hello/ })).toBeVisible();
  await expect(alice.page.getByText('Be told of messages while Kez is closed?')).toBeHidden();
  await alice.page.getByRole('link', { name: 'Settings' }).click();
  await expect(alice.page.getByText('This browser does not let Kez notify you.')).toBeVisible();
  await expect(alice.page.getByRole('switch', { name: NAME })).toBeDisabled();
  await check(alice.page, 'notifications that are not allowed');
});

test('two accounts of one browser share its subscription; one that is removed is woken no more', async ({
  person,
  mesh,
}) => {
  const alice = await person('alice');
  await givePush(alice.context, originOf(mesh));
  await alice.create();
  await alice.live();
  const { page } = alice;
  const endpoint = await turnOn(page);
  await page.getByRole('button', { name: 'Add an account' }).click();
  const carol = new BrowserPerson(alice.context, page, alice.handle.replace('alice', 'carol'));
  await carol.create();
  await carol.live();
  await page.getByRole('link', { name: 'Settings' }).click();
  await expect(page.getByRole('switch', { name: NAME })).not.toBeChecked();
  expect(await turnOn(page)).toBe(endpoint);
  expect(await new Registered(carol, originOf(mesh)).endpoints()).toEqual([endpoint]);
  expect(await new Registered(alice, originOf(mesh)).endpoints()).toEqual([endpoint]);

  // Nobody is signed in who could tell the server: the browser's subscription ends, and whoever stays has another.
  await page
    .getByRole('listitem')
    .filter({ hasText: `${alice.handle}@` })
    .getByRole('button', { name: 'Remove from this device' })
    .click();
  await page.getByText('I have the recovery phrase.').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove from this device' }).click();
  await expect(page.getByText(`${alice.handle}@`, { exact: false })).toBeHidden();
  await expect.poll(() => new Registered(carol, originOf(mesh)).endpoints()).not.toContain(endpoint);
  expect(await new Registered(carol, originOf(mesh)).endpoints()).toEqual([await endpointOf(page)]);
});
