// One identity in two browsers: what is sent or read in one is seen in the other, and nobody else can put words into its mouth.
import { SecretKey } from '../src/crypto/keys.ts';
import type { Body } from '../src/crypto/message.ts';
import type { Mesh } from './mesh.ts';
import { givePush } from './push-network.ts';
import { Sleeper } from './sleeper.ts';
import { expect, originOf, test, type BrowserPerson } from './story.ts';
import { Stranger } from './stranger.ts';

async function primaryOf({ origin }: Mesh, handle: string): Promise<string> {
  const answer = await fetch(`${origin}/v1/u/${handle}`);
  return ((await answer.json()) as { primary: string }).primary;
}

/** Another browser of somebody, connected. */
async function second(alice: BrowserPerson, blank: BrowserPerson): Promise<BrowserPerson> {
  const other = Object.assign(blank, { handle: alice.handle });
  await other.restore(alice.words.join(' '));
  return other;
}

/** Somebody with notifications on that say who has written and what, of which nobody looks at a page. */
async function lookAway(alice: BrowserPerson, mesh: Mesh): Promise<Sleeper> {
  const { page } = alice;
  await page.getByRole('link', { name: 'Settings' }).click();
  for (const name of ['Tell me of messages while Kez is closed', 'Show who has written, and what']) {
    await page.getByRole('switch', { name }).click();
    await expect(page.getByRole('switch', { name })).toBeChecked();
  }
  const sleeper = await Sleeper.of(alice, originOf(mesh));
  await sleeper.lookAway();
  await page.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { get: () => 'hidden', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  return sleeper;
}

/** Nothing of somebody's waits to be sent any more: the server has all of it. */
async function sentAll({ page }: BrowserPerson): Promise<void> {
  const waiting = () =>
    page.evaluate(
      () =>
        new Promise<number>((resolve, reject) => {
          const opening = indexedDB.open('kez');
          opening.onerror = () => reject(opening.error ?? new Error('no database'));
          opening.onsuccess = () => {
            const database = opening.result;
            const counting = database.transaction('outbox').objectStore('outbox').count();
            counting.onsuccess = () => resolve(counting.result);
            counting.onerror = () => reject(counting.error ?? new Error('no outbox'));
            database.close();
          };
        }),
    );
  await expect.poll(waiting).toBe(0);
}

test('what is sent in one browser is seen in the other, once, with its ticks', async ({ person }) => {
  const alice = await person('alice');
  await alice.create();
  const bob = await person('bob');
  await bob.create();
  await bob.live();
  await alice.begin(bob.handle);
  await alice.say('before the other browser was there');
  await alice.expectDelivery('before the other browser was there', 'delivered');
  const other = await second(alice, await person('blank'));
  await alice.say('from the first browser');
  await alice.expectDelivery('from the first browser', 'delivered');
  const row = other.page.getByRole('link', { name: new RegExp(bob.handle) });
  await expect(row).toContainText('You: from the first browser');
  await row.click();
  await expect(other.bubble('from the first browser')).toHaveCount(1);
  await bob.page.getByRole('link', { name: new RegExp(alice.handle) }).click();
  await other.expectDelivery('from the first browser', 'read');
  await other.say('from the second browser');
  await expect(alice.bubble('from the second browser')).toHaveCount(1);
  await expect(bob.bubble('from the second browser')).toHaveCount(1);
  await alice.expectDelivery('from the second browser', 'read');
  // Neither shows its own copies as notes to itself.
  for (const one of [alice, other]) {
    await one.chats();
    await expect(one.page.getByRole('region', { name: 'Conversations' }).getByRole('link')).toHaveCount(1);
  }
});

test('a stranger who says that I have sent something has only written to me', async ({ person, mesh }) => {
  const alice = await person('alice');
  await alice.create();
  const bob = await mesh.person(`bo-${alice.handle}`.slice(0, 32));
  await alice.begin(bob.handle);
  await alice.say('the only thing I said');
  const me = await primaryOf(mesh, alice.handle);
  const mallory = await new Stranger(mesh.origin).register(`ma-${alice.handle}`.slice(0, 32), mesh.server);
  const [id, copied] = ['1'.repeat(32), '2'.repeat(32)];
  const copyOf = { to: bob.primary as `ed25519:${string}`, id: copied };
  const body = { kind: 'text', text: 'I never said this', copyOf } as const;
  await mallory.post(alice.handle, await mallory.seal({ to: me, id, body }));
  const row = alice.page.getByRole('link', { name: /I never said this/ });
  await expect(row).toContainText('1 unread message');
  await expect(row).not.toContainText('You:');
  expect(await alice.log.locator('.bubble .text').allTextContents()).toEqual(['the only thing I said']);
});

test('what is read in one browser is read in the other', async ({ person }) => {
  const [alice, bob] = [await person('alice'), await person('bob')];
  await alice.create();
  await alice.live();
  await bob.create();
  const other = await second(alice, await person('blank'));
  await bob.begin(alice.handle);
  await bob.say('one');
  await bob.say('two');
  const row = (one: BrowserPerson) => one.page.getByRole('link', { name: new RegExp(bob.handle) });
  for (const one of [alice, other]) {
    await expect(row(one)).toContainText('2 unread messages');
    await expect(one.page).toHaveTitle(/^\(2\) /);
  }
  await row(alice).click();
  await bob.expectDelivery('two', 'read');
  await expect(row(other)).not.toContainText('unread');
  await expect(other.page).not.toHaveTitle(/\(/);
  // Nothing is left to jump to either; and what comes now is unread in both again.
  await alice.chats();
  await bob.say('three');
  for (const one of [alice, other]) await expect(row(one)).toContainText('1 unread message');
  await row(other).click();
  await expect(other.bubble('three')).toBeVisible();
  await expect(other.log.getByText('Unread')).toHaveCount(1);
  await expect(row(alice)).not.toContainText('unread');
  await expect(alice.page).not.toHaveTitle(/\(/);
});

test('what was read while the other browser was away is read when it is back', async ({ person }) => {
  const [alice, bob] = [await person('alice'), await person('bob')];
  await alice.create();
  await alice.live();
  await bob.create();
  const other = await second(alice, await person('blank'));
  await other.context.setOffline(true);
  await bob.begin(alice.handle);
  await bob.say('you were away');
  const row = (one: BrowserPerson) => one.page.getByRole('link', { name: new RegExp(bob.handle) });
  await row(alice).click();
  await bob.expectDelivery('you were away', 'read');
  await other.context.setOffline(false);
  await expect(row(other)).toContainText('you were away');
  await expect(row(other)).not.toContainText('unread');
});

test('nobody else says what I have read', async ({ person, mesh }) => {
  const alice = await person('alice');
  await alice.create();
  await alice.live();
  const to = await primaryOf(mesh, alice.handle);
  const bob = await new Stranger(mesh.origin).register(`rb-${alice.handle}`.slice(0, 32), mesh.server);
  const mallory = await new Stranger(mesh.origin).register(`rm-${alice.handle}`.slice(0, 32), mesh.server);
  const id = (digit: string) => digit.repeat(32);
  const text = (words: string) => ({ kind: 'text', text: words }) as const;
  await bob.post(to, await bob.seal({ to, id: id('1'), body: text('unread as yet') }));
  const body: Body = { kind: 'receipt', status: 'read', of: [id('1')] };
  const signer = SecretKey.fromSeed(crypto.getRandomValues(new Uint8Array(32)));
  await mallory.post(to, await mallory.seal({ to, id: id('2'), body }));
  await bob.post(to, await bob.seal({ to, id: id('3'), body }));
  await mallory.post(to, await mallory.seal({ to, id: id('4'), body, from: to, signer }));
  await mallory.post(to, await mallory.seal({ to, id: id('5'), body: text('and did you see it?') }));
  await expect(alice.page.getByRole('link', { name: /and did you see it/ })).toBeVisible();
  await expect(alice.page.getByRole('link', { name: /unread as yet/ })).toContainText('1 unread message');
  await expect(alice.page).toHaveTitle(/^\(2\) /);
});

test('a notification goes when its message is read in the other browser', async ({ person, mesh }) => {
  const alice = await person('alice');
  await givePush(alice.context, originOf(mesh));
  await alice.create();
  await alice.live();
  const other = await second(alice, await person('blank'));
  const bob = await mesh.person(`nb-${alice.handle}`.slice(0, 32));
  const carol = await mesh.person(`nc-${alice.handle}`.slice(0, 32));
  const row = (handle: string) => other.page.getByRole('link', { name: new RegExp(handle) });
  // A page that is open and hidden takes its own away.
  const sleeper = await lookAway(alice, mesh);
  await bob.kez('send', alice.handle, 'are you there?');
  await sleeper.expectShown({ title: bob.handle, body: 'are you there?' });
  await row(bob.handle).click();
  await sleeper.expectShown();
  await expect(alice.page).not.toHaveTitle(/\(/);
  await other.chats();
  // Where no page is open, the service worker finds what was read, when it is woken for something.
  await alice.page.close();
  await carol.kez('send', alice.handle, 'and now?');
  await sleeper.push();
  await sleeper.expectShown({ title: carol.handle, body: 'and now?' });
  await row(carol.handle).click();
  await expect(row(carol.handle)).not.toContainText('unread');
  await sentAll(other);
  await bob.kez('send', alice.handle, 'still not?');
  await sleeper.push();
  await sleeper.expectShown({ title: bob.handle, body: 'still not?' });
  await row(bob.handle).click();
  await expect(row(bob.handle)).not.toContainText('unread');
  await sentAll(other);
  await sleeper.push();
  await sleeper.expectShown();
});
