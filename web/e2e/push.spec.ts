// Told of messages while the page is closed: what a push brings onto the screen, and what it never does.
import type { Page } from '@playwright/test';
import { SecretKey } from '../src/crypto/keys.ts';
import { messageId, type Body } from '../src/crypto/message.ts';
import type { CliPerson, Mesh } from './mesh.ts';
import { givePush } from './push-network.ts';
import { Sleeper } from './sleeper.ts';
import { BrowserPerson, expect, originOf, test } from './story.ts';
import { Stranger } from './stranger.ts';

const PREVIEWS = 'Show who has written, and what';
const PLAIN = { title: 'Kez', body: 'New message' };

/** Somebody who has turned notifications on, with names and words unless `plain`, and a friend at the command line. */
async function begin(alice: BrowserPerson, mesh: Mesh, plain?: 'plain'): Promise<CliPerson> {
  await turnOn(alice, mesh, plain);
  return mesh.person(`f-${alice.handle}`.slice(0, 32));
}

async function turnOn(alice: BrowserPerson, mesh: Mesh, plain?: 'plain'): Promise<void> {
  await givePush(alice.context, originOf(mesh));
  await alice.create();
  await alice.live();
  await toggle(alice.page, 'Tell me of messages while Kez is closed');
  if (!plain) await toggle(alice.page, PREVIEWS);
}

async function toggle(page: Page, name: string): Promise<void> {
  await page.getByRole('link', { name: 'Settings' }).click();
  const toggle = page.getByRole('switch', { name });
  const before = await toggle.isChecked();
  await toggle.click();
  await expect(toggle).toBeChecked({ checked: !before });
}

/** Nobody has Kez open any more. */
async function sleep(alice: BrowserPerson, mesh: Mesh): Promise<Sleeper> {
  const sleeper = await Sleeper.of(alice, originOf(mesh));
  await alice.page.close();
  return sleeper;
}

/** What is stored for the service worker, once it is stored: whoever closes the page does so after that. */
async function expectKept(sleeper: Sleeper, { handle }: BrowserPerson, ...holds: string[]): Promise<void> {
  await expect.poll(() => sleeper.kept()).toMatchObject([{ account: handle, holds, showsKey: false }]);
}

async function primaryOf(mesh: Mesh, handle: string): Promise<string> {
  const answer = await fetch(`${originOf(mesh)}/v1/u/${handle}`);
  return ((await answer.json()) as { primary: string }).primary;
}

test('a message that comes to a closed page is told of, with its words', async ({ person, mesh }) => {
  const alice = await person('alice');
  const bob = await begin(alice, mesh);
  const sleeper = await Sleeper.of(alice, originOf(mesh));
  await expectKept(sleeper, alice, 'credential', 'opening');
  await alice.page.close();
  await bob.kez('send', alice.handle, 'shall we meet at the pier?');
  await sleeper.push();
  await sleeper.expectShown({ title: bob.handle, body: 'shall we meet at the pier?' });
});

test('a burst is one notification', async ({ person, mesh }) => {
  const alice = await person('alice');
  await turnOn(alice, mesh);
  const to = await primaryOf(mesh, alice.handle);
  const [bob, carol] = [await writer(alice, mesh, 'f'), await writer(alice, mesh, 'c')];
  const sleeper = await sleep(alice, mesh);
  await sleeper.listen();
  await bob.write(to, 'one');
  await bob.write(to, 'two');
  await sleeper.push();
  await sleeper.expectShown({ title: 'Kez', body: `2 new messages from ${bob.handle}` });
  // Of what comes right after a push there is no other: the service worker looks once more by itself.
  await bob.write(to, 'three');
  const three = `3 new messages from ${bob.handle}`;
  await sleeper.expectShown({ title: 'Kez', body: three });
  await carol.write(to, 'four');
  await sleeper.push();
  await sleeper.expectShown({
    title: 'Kez',
    body: `4 new messages from ${carol.handle} and ${bob.handle}`,
  });
  expect((await sleeper.history()).slice(0, 2)).toEqual([
    `Kez: 2 new messages from ${bob.handle}`,
    `silently Kez: ${three}`,
  ]);
});

/** Somebody who writes as fast as a message is sealed: no command is started for it. */
async function writer(alice: BrowserPerson, mesh: Mesh, letter: string) {
  const handle = `${letter}-${alice.handle}`.slice(0, 32);
  const stranger = await new Stranger(originOf(mesh)).register(handle, mesh.server);
  const write = async (to: string, text: string) => {
    const id = messageId(crypto.getRandomValues(new Uint8Array(16)));
    await stranger.post(to, await stranger.seal({ to, id, body: { kind: 'text', text } }));
  };
  return { handle, write };
}

test('locked, it says that something came and no more', async ({ person, mesh }) => {
  const alice = await person('alice');
  const bob = await begin(alice, mesh);
  await alice.lock();
  const sleeper = await sleep(alice, mesh);
  await expectKept(sleeper, alice);
  await bob.kez('send', alice.handle, 'a secret');
  await sleeper.push();
  await sleeper.expectShown(PLAIN);
});

test('locked while a push is looked into, it names nobody either', async ({ person, mesh }) => {
  const [alice, carol] = [await person('alice'), await person('carol')];
  await begin(alice, mesh);
  await alice.chats();
  await carol.create();
  await carol.begin(alice.handle);
  const sleeper = await Sleeper.of(alice, originOf(mesh));
  await sleeper.listen();
  await alice.page.evaluate(() => document.dispatchEvent(new Event('freeze')));
  await expect(alice.page.getByRole('button', { name: /^locked/ })).toBeVisible();
  await carol.say('between the two of us');
  await carol.expectDelivery('between the two of us', 'sent');
  await sleeper.hold();
  await sleeper.push();
  // It has opened the message, and asks whether the device that has signed it is carol's.
  await expect.poll(() => sleeper.hasAsked()).toBe(true);
  await alice.lock();
  await sleeper.answer();
  await sleeper.expectShown(PLAIN);
  expect(await sleeper.history()).toEqual(['Kez: New message']);
});

test('unless names and words are asked for it says no more either, and nothing that opens mail is left', async ({
  person,
  mesh,
}) => {
  const alice = await person('alice');
  const bob = await begin(alice, mesh, 'plain');
  const sleeper = await Sleeper.of(alice, originOf(mesh));
  await expectKept(sleeper, alice, 'credential');
  await alice.page.close();
  await bob.kez('send', alice.handle, 'a secret');
  await sleeper.push();
  await sleeper.expectShown(PLAIN);
});

test('a server that is away is no reason for silence', async ({ person, mesh }) => {
  const alice = await person('alice');
  await begin(alice, mesh);
  const sleeper = await sleep(alice, mesh);
  await alice.context.setOffline(true);
  await sleeper.push();
  await sleeper.expectShown(PLAIN);
});

test('mail that lies is told of without its words', async ({ person, mesh }) => {
  const alice = await person('alice');
  const bob = await begin(alice, mesh);
  const sleeper = await sleep(alice, mesh);
  const to = await primaryOf(mesh, alice.handle);
  const mallory = await new Stranger(originOf(mesh)).register(`m-${alice.handle}`.slice(0, 32), mesh.server);
  const text = (words: string) => ({ kind: 'text', text: words }) as const;
  const id = (digit: string) => digit.repeat(32);
  // Signed by a device that nobody's chain knows, years old, changed on its way, and no envelope of a message at all.
  const device = SecretKey.fromSeed(crypto.getRandomValues(new Uint8Array(32)));
  await mallory.post(to, await mallory.seal({ to, id: id('1'), body: text('forged'), signer: device }));
  await mallory.post(to, await mallory.seal({ to, id: id('2'), body: text('stale'), sentAt: 1_500_000_000 }));
  const changed = await mallory.seal({ to, id: id('3'), body: text('changed') });
  await mallory.post(to, changed.replace(/"ct":"...../, '"ct":"AAAAA'));
  await mallory.post(
    to,
    await mallory.seal({ to: bob.primary, id: id('4'), body: text('for somebody else') }),
  );
  await sleeper.push();
  await sleeper.expectShown(PLAIN);
});

test('what is not read by anybody wakes nobody: receipts are sent silently, words are not', async ({
  person,
}) => {
  const [alice, bob] = [await person('alice'), await person('bob')];
  const sent = new Map<BrowserPerson, boolean[]>();
  for (const one of [alice, bob]) {
    const silences: boolean[] = [];
    sent.set(one, silences);
    one.page.on('websocket', (socket) =>
      socket.on('framesent', ({ payload }) => {
        const frame = payload.toString();
        if (frame.includes('PUB kez.rpc.inbox.send.')) silences.push(frame.includes('"silent":true'));
      }),
    );
    await one.create();
  }
  await bob.live();
  await alice.begin(bob.handle);
  await alice.say('are you there?');
  await bob.page.getByRole('link', { name: new RegExp(alice.handle) }).click();
  await alice.expectDelivery('are you there?', 'read');
  expect([...sent.values()]).toEqual([[false], [true, true]]);
});

test('a receipt is nothing to hear of', async ({ person, mesh }) => {
  const alice = await person('alice');
  const bob = await begin(alice, mesh);
  const sleeper = await sleep(alice, mesh);
  await sleeper.listen();
  const to = await primaryOf(mesh, alice.handle);
  const carol = await new Stranger(originOf(mesh)).register(`s-${alice.handle}`.slice(0, 32), mesh.server);
  const body: Body = { kind: 'receipt', status: 'read', of: ['0'.repeat(32)] };
  await carol.post(to, await carol.seal({ to, id: '1'.repeat(32), body }));
  await sleeper.push();
  await expect.poll(() => sleeper.history()).toEqual(['silently Kez: New message']);
  await expect.poll(() => sleeper.shown()).toEqual([]);
  await bob.kez('send', alice.handle, 'but this is');
  await sleeper.push();
  await sleeper.expectShown({ title: bob.handle, body: 'but this is' });
});

test('a click leads to the chat, without a reload; reading it takes the notification away', async ({
  person,
  mesh,
}) => {
  const alice = await person('alice');
  const bob = await begin(alice, mesh);
  await alice.chats();
  const { page } = alice;
  const sleeper = await Sleeper.of(alice, originOf(mesh));
  await sleeper.lookAway();
  await page.evaluate(() => {
    Object.assign(window, { isTheSame: true });
    Object.defineProperty(document, 'visibilityState', { get: () => 'hidden', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  // The page is open and nobody looks at it: the server pushes nothing, and the page itself tells.
  await bob.kez('send', alice.handle, 'are you there?');
  await sleeper.expectShown({ title: bob.handle, body: 'are you there?' });
  await sleeper.click();
  await expect(page).toHaveURL(`/chats/${encodeURIComponent(bob.primary)}`);
  await expect(alice.bubble('are you there?')).toBeVisible();
  expect(await page.evaluate(() => 'isTheSame' in window)).toBe(true);

  await bob.kez('send', alice.handle, 'still not?');
  await sleeper.expectShown({ title: 'Kez', body: `2 new messages from ${bob.handle}` });
  await page.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { get: () => 'visible', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await sleeper.expectShown();
});

test('whoever looks at another account is told, and a click goes to the page of the right one', async ({
  person,
  mesh,
}) => {
  const alice = await person('alice');
  const bob = await begin(alice, mesh);
  // Bea takes the first page, and alice has another one: nobody looks at that.
  await alice.page.getByRole('button', { name: 'Add an account' }).click();
  const bea = new BrowserPerson(alice.context, alice.page, `bea-${alice.handle}`.slice(0, 32));
  await bea.create();
  const page = await alice.context.newPage();
  const there = new BrowserPerson(alice.context, page, alice.handle, alice.passphrase);
  await page.goto('/settings');
  await page.getByRole('button', { name: 'Switch' }).click();
  await there.unlock();
  await there.live();
  await bea.unlock();
  await bea.live();
  await page.evaluate(() =>
    Object.defineProperty(document, 'visibilityState', { get: () => 'hidden', configurable: true }),
  );
  const sleeper = await Sleeper.of(alice, originOf(mesh));
  await bob.kez('send', alice.handle, 'for alice alone');
  await sleeper.expectShown({ title: bob.handle, body: 'for alice alone' });
  await sleeper.click();
  await expect(page).toHaveURL(`/chats/${encodeURIComponent(bob.primary)}`);
  await expect(there.bubble('for alice alone')).toBeVisible();
  await expect(bea.page).toHaveURL('/chats');
  await expect(bea.page.getByText('No conversations yet')).toBeVisible();
});

test('locking takes the notifications away', async ({ person, mesh }) => {
  const alice = await person('alice');
  const bob = await begin(alice, mesh);
  const sleeper = await Sleeper.of(alice, originOf(mesh));
  await sleeper.lookAway();
  await alice.page.evaluate(() =>
    Object.defineProperty(document, 'visibilityState', { get: () => 'hidden', configurable: true }),
  );
  await bob.kez('send', alice.handle, 'for your eyes');
  await sleeper.expectShown({ title: bob.handle, body: 'for your eyes' });
  await alice.lock();
  await sleeper.expectShown();
});

test('a page that the browser stops leaves the mailbox to the pushes, and is back when it goes on', async ({
  person,
  mesh,
}) => {
  const alice = await person('alice');
  const bob = await begin(alice, mesh);
  await alice.chats();
  const { page } = alice;
  const sleeper = await Sleeper.of(alice, originOf(mesh));
  await page.evaluate(() => document.dispatchEvent(new Event('freeze')));
  await expect(page.getByRole('button', { name: /^locked/ })).toBeVisible();
  await bob.kez('send', alice.handle, 'wake up');
  await sleeper.push();
  await sleeper.expectShown({ title: bob.handle, body: 'wake up' });
  await page.evaluate(() => document.dispatchEvent(new Event('resume')));
  await page.getByRole('link', { name: /wake up/ }).click();
  await expect(alice.bubble('wake up')).toBeVisible();
  await sleeper.expectShown();
});

test('of two tabs, one that has left keeps the other from nothing', async ({ person, mesh }) => {
  const alice = await person('alice');
  const bob = await begin(alice, mesh);
  const other = new BrowserPerson(alice.context, await alice.context.newPage(), alice.handle);
  await other.page.goto('/chats');
  await other.live();
  await alice.chats();
  await alice.page.evaluate(() => document.dispatchEvent(new Event('freeze')));
  await expect(alice.page.getByRole('button', { name: /^locked/ })).toBeVisible();
  await bob.kez('send', alice.handle, 'over here?');
  await other.page.getByRole('link', { name: /over here\?/ }).click();
  await other.say('yes, here');
  await other.expectDelivery('yes, here', 'sent', 'delivered');
  await alice.page.evaluate(() => document.dispatchEvent(new Event('resume')));
  await alice.page.getByRole('link', { name: /yes, here/ }).click();
  await expect(alice.bubble('over here?')).toBeVisible();
});
