// Two people talk: in two browsers, and with somebody at the command line.
import { expect, test } from './story.ts';

test('a message goes both ways, and each side learns how far it came', async ({ person }) => {
  const [alice, bob] = [await person('alice'), await person('bob')];
  await alice.create();
  await bob.create();
  await bob.live();
  await alice.begin(bob.handle);
  await alice.say('hello bob');
  await expect(alice.composer).toBeFocused();
  await expect(alice.composer).toHaveValue('');
  await alice.expectDelivery('hello bob', 'delivered');
  await expect(bob.page).toHaveTitle('(1) Chats · Kez');
  const row = bob.page.getByRole('link', { name: new RegExp(alice.handle) });
  await expect(row).toContainText('hello bob');
  await expect(row).toContainText('1 unread message');
  await row.click();
  await expect(bob.bubble('hello bob')).toBeVisible();
  await alice.expectDelivery('hello bob', 'read');
  await bob.say('hello alice\nhow are you?');
  await expect(alice.bubble('how are you?')).toBeVisible();
  await bob.expectDelivery('how are you?', 'read');
});

test('with somebody at the command line', async ({ person, mesh }) => {
  const alice = await person('alice');
  await alice.create();
  const handle = `cli-${alice.handle}`.slice(0, 32);
  const carol = await mesh.person(handle);
  await alice.begin(handle);
  await alice.say('from the browser');
  await alice.expectDelivery('from the browser', 'sent', 'delivered');
  await expect.poll(async () => JSON.stringify(await carol.inbox())).toContain('from the browser');
  await carol.kez('send', alice.handle, 'from the command line');
  await expect(alice.bubble('from the command line')).toBeVisible();
});

test('nobody of that name', async ({ person }) => {
  const alice = await person('alice', { expected: /404/ });
  await alice.create();
  await alice.chats();
  await alice.page.getByRole('button', { name: 'New chat' }).first().click();
  for (const [who, answer] of [
    ['nobody-at-all', 'Nobody of that name is registered here.'],
    ['a', 'That is no handle'],
    ['bob@elsewhere.example', 'That address belongs to another server.'],
  ] as const) {
    await alice.page.getByLabel('Handle, handle@server or key').fill(who);
    await alice.page.getByRole('button', { name: 'Start chat' }).click();
    await expect(alice.page.getByText(answer)).toBeVisible();
  }
});

test('a chat that was cancelled is not gone into when the answer comes', async ({ person, mesh }) => {
  const alice = await person('alice', { expected: /404/ });
  const { page } = alice;
  const held: (() => void)[] = [];
  let holds = false;
  await page.routeWebSocket(/./, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((bytes) => void (holds ? held.push(() => server.send(bytes)) : server.send(bytes)));
  });
  await alice.create();
  await alice.live();
  const handle = `no-${alice.handle}`.slice(0, 32);
  await mesh.person(handle);
  holds = true;
  await page.getByRole('button', { name: 'New chat' }).first().click();
  await page.getByLabel('Handle, handle@server or key').fill(handle);
  await page.getByRole('button', { name: 'Start chat' }).click();
  await expect.poll(() => held.length).toBeGreaterThan(0);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  holds = false;
  for (const send of held) send();
  // An answer to a later question: the one to the earlier question has come before it.
  await page.getByRole('button', { name: 'New chat' }).first().click();
  await page.getByLabel('Handle, handle@server or key').fill('nobody-at-all');
  await page.getByRole('button', { name: 'Start chat' }).click();
  await expect(page.getByText('Nobody of that name is registered here.')).toBeVisible();
  await expect(page).toHaveURL('/chats');
});

test('written without a network, it is sent once when the network is back', async ({ person, mesh }) => {
  test.setTimeout(180_000);
  const alice = await person('alice', {
    expected: /ERR_INTERNET_DISCONNECTED|WebSocket|Failed to (load|fetch)/,
  });
  await alice.create();
  const handle = `off-${alice.handle}`.slice(0, 32);
  const carol = await mesh.person(handle);
  await alice.begin(handle);
  await alice.context.setOffline(true);
  await alice.say('written offline');
  await expect(alice.bubble('written offline')).toBeVisible();
  await alice.expectDelivery('written offline', 'sending');
  // The browser says that there is no network, and the link is asked at once: an outage is told without the pings.
  await expect(alice.page.getByRole('button', { name: /^offline/ })).toBeVisible({ timeout: 8_000 });
  // On a phone the list is not there to say so.
  await alice.page.setViewportSize({ width: 390, height: 800 });
  await expect(alice.page.getByRole('heading', { level: 1 })).toContainText('offline');
  await expect(alice.page.getByRole('status').filter({ hasText: /^offline$/ })).toBeAttached();
  await alice.context.setOffline(false);
  await alice.expectDelivery('written offline', 'sent', 'delivered');
  const count = async () => JSON.stringify(await carol.inbox()).split('written offline').length - 1;
  await expect.poll(count).toBe(1);
});

test('a reload keeps what was said, and what was only typed', async ({ person, mesh }) => {
  const alice = await person('alice');
  await alice.create();
  const handle = `re-${alice.handle}`.slice(0, 32);
  await mesh.person(handle);
  await alice.begin(handle);
  await alice.say('kept');
  await alice.expectDelivery('kept', 'sent', 'delivered');
  // What another tab of hers shows has been stored.
  const tab = await alice.context.newPage();
  await tab.goto('/chats');
  await expect(tab.getByRole('link', { name: /kept/ })).toBeVisible();
  await alice.composer.fill('half a thought');
  await expect(alice.page.getByRole('link', { name: /Draft: half a thought/ })).toBeVisible();
  await expect(tab.getByRole('link', { name: /Draft: half a thought/ })).toBeVisible();
  await alice.page.reload();
  await expect(alice.bubble('kept')).toBeVisible();
  await expect(alice.composer).toHaveValue('half a thought');
});

test('what was said is found again', async ({ person, mesh }) => {
  const alice = await person('alice');
  await alice.create();
  const handle = `se-${alice.handle}`.slice(0, 32);
  const carol = await mesh.person(handle);
  await carol.kez('send', alice.handle, 'the lighthouse at noon');
  await carol.kez('send', alice.handle, 'something else');
  await alice.live();
  await alice.page.getByRole('link', { name: new RegExp(handle) }).click();
  await expect(alice.bubble('the lighthouse at noon')).toBeVisible();
  await alice.page.keyboard.press('Control+f');
  await alice.page.keyboard.type('lighthouse');
  await expect(alice.page.getByText('1 of 1')).toBeVisible();
  await expect(alice.log.locator('mark')).toHaveText('lighthouse');
  await alice.page.keyboard.press('Escape');
  await alice.page.keyboard.press('Escape');
  await expect(alice.page).toHaveURL('/chats');
  await alice.page.keyboard.press('Control+f');
  await alice.page.keyboard.type('lighthouse');
  await alice.page
    .getByRole('link', { name: /the lighthouse at noon/ })
    .last()
    .click();
  await expect(alice.bubble('the lighthouse at noon')).toBeVisible();
});
