// Locking holds: whatever the network, storage and other tabs do at that moment, nothing stays open and nothing opens again.
import 'fake-indexeddb/auto';
import { openDB, type IDBPDatabase } from 'idb';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { MIGRATIONS } from '../src/storage/schema.ts';
import { Browsers, live, PASSPHRASE, PATIENCE } from './browsers.ts';
import { LateChannel } from './late-channel.ts';
import { Mesh, missingMesh } from './mesh.ts';
import { Network } from './network.ts';
import type { Tab } from './tab.ts';

const missing = missingMesh();
if (missing) console.warn(`skipped: ${missing}`);

describe.skipIf(missing)('a lock', () => {
  let mesh: Mesh;
  let network: Network;
  const browsers = new Browsers(() => network.origin);

  beforeAll(async () => {
    mesh = await Mesh.start();
    network = await Network.to(mesh.origin);
    await mesh.person('bob');
  });
  afterEach(async () => {
    network.goOn();
    LateChannel.goOn();
    vi.unstubAllGlobals();
    await browsers.close();
  });
  afterAll(async () => {
    await network?.stop();
    await mesh?.stop();
  });

  /** Somebody who has said something to bob. */
  async function talking(handle: string, words = 'a secret') {
    const tab = await browsers.create(handle);
    const chat = await tab.kez.chats.open(await tab.kez.chats.begin('bob'));
    await chat.send(words);
    await expect.poll(() => chat.messages[0]?.status, PATIENCE).toBe('sent');
    return { ...tab, peer: chat.peer };
  }

  /** What somebody who looks at a locked page could find. */
  const open = ({ kez: { account, chats, connection, people } }: Tab, peer: string) => ({
    status: account.status,
    holdsIdentity: account.holdsIdentity,
    chats: chats.list.length,
    thread: chats.thread,
    knows: people.of(peer).handle,
    connection: connection.state,
  });
  const nothing = {
    status: 'locked',
    holdsIdentity: false,
    chats: 0,
    thread: null,
    knows: null,
    connection: 'closed',
  };

  test('waits for no network: a sign-in that is never answered keeps nothing open', async () => {
    const alice = await talking('alice');
    network.fallSilent();
    network.cut();
    await expect.poll(() => alice.kez.connection.state, PATIENCE).toBe('reconnecting');
    alice.kez.connection.retry();
    await expect.poll(() => network.waiting, PATIENCE).toBe(1);
    const locking = alice.kez.account.lock();
    expect(open(alice, alice.peer)).toEqual(nothing);
    await locking;
    await alice.kez.account.unlock(PASSPHRASE);
    const chat = await alice.kez.chats.open(alice.peer);
    network.goOn();
    await live(alice);
    await chat.send('and on');
    await expect
      .poll(() => chat.messages.map(({ text, status }) => [text, status]), PATIENCE)
      .toEqual([
        ['a secret', 'sent'],
        ['and on', 'sent'],
      ]);
  });

  test('waits for no farewell of a server that has fallen silent', async () => {
    const dave = await talking('dave');
    network.fallSilent();
    const locking = dave.kez.account.lock();
    expect(open(dave, dave.peer)).toEqual(nothing);
    await locking;
    network.goOn();
    await dave.kez.account.unlock(PASSPHRASE);
    await live(dave);
    expect(dave.kez.chats.list).toMatchObject([{ preview: 'a secret' }]);
  });

  test('is over before the account is unlocked again', async () => {
    const bea = await talking('bea');
    const locking = bea.kez.account.lock();
    await bea.kez.account.unlock(PASSPHRASE);
    await locking;
    await live(bea);
    const chat = await bea.kez.chats.open(bea.peer);
    await chat.send('and on');
    await expect.poll(() => chat.messages.at(-1)?.status, PATIENCE).toBe('sent');
    expect(bea.kez.account.status).toBe('unlocked');
  });

  test('says that it is locked when nothing stored opens mail any more, and wipes memory before', async () => {
    const lisa = await talking('lisa');
    const { account } = lisa.kez;
    lisa.store.set('kez.push', 'yes');
    const upgrade = (database: IDBPDatabase) =>
      void database.createObjectStore('wakes', { keyPath: 'primary' });
    const wakes = await openDB('lisa-wake', 1, { upgrade });
    const primary = account.current?.primary ?? '';
    await wakes.put('wakes', { primary, handle: 'lisa', credential: 'fetches mail', opening: 'opens it' });
    // Somebody else writes, and does not come to an end.
    const { store, done } = wakes.transaction('wakes', 'readwrite');
    let isHeld = true;
    const holding = (async () => {
      while (isHeld) await store.count();
      await done;
    })();
    const locking = account.lock();
    expect(open(lisa, lisa.peer)).toEqual(nothing);
    expect(account.isLocking).toBe(true);
    isHeld = false;
    await Promise.all([holding, locking]);
    await expect.poll(() => account.isLocking).toBe(false);
    expect(await wakes.getAll('wakes')).toEqual([{ primary, handle: 'lisa' }]);
    wakes.close();
  });

  test('needs no storage: what is open is wiped where the database is gone', async () => {
    const carol = await talking('carol');
    // As a tab with a newer version of the page does.
    const newer = await openDB('carol', MIGRATIONS.length + 1);
    await carol.kez.account.lock();
    expect(open(carol, carol.peer)).toEqual(nothing);
    newer.close();
  });

  /** How the next page of that browser finds the account. */
  async function nextPage(browser: string): Promise<string> {
    const page = await browsers.open(browser);
    const { status } = page.kez.account;
    await page.close();
    return status;
  }

  test('holds for a tab that was asleep, and wakes before it hears of it', async () => {
    vi.stubGlobal('BroadcastChannel', LateChannel);
    const erin = await talking('erin');
    const asleep = await browsers.open('erin');
    await live(asleep);
    Object.assign(asleep.kez.push, { isOn: true, permission: 'granted' });
    asleep.kez.looked('frozen');
    expect(asleep.kez.connection.state).toBe('closed');
    LateChannel.hold();
    await erin.kez.account.lock();
    asleep.kez.looked('visible');
    await expect.poll(() => open(asleep, erin.peer), PATIENCE).toEqual(nothing);
    expect(await nextPage('erin')).toBe('locked');
    // What it hears now was said of another time.
    await erin.kez.account.unlock(PASSPHRASE);
    LateChannel.goOn();
    expect(await nextPage('erin')).toBe('unlocked');
    expect(erin.kez.account.status).toBe('unlocked');
  });

  test('holds for tabs that begin at that moment, whichever it is', async () => {
    const frank = await talking('frank');
    for (let turns = 0; turns < 60; turns += 3) {
      const beginning = browsers.open('frank');
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
      await frank.kez.account.lock();
      const tab = await beginning;
      await expect.poll(() => open(tab, frank.peer), PATIENCE).toEqual(nothing);
      expect(await nextPage('frank'), `${turns} turns`).toBe('locked');
      await tab.close();
      await frank.kez.account.unlock(PASSPHRASE);
    }
  });

  test('keeps its session in the tabs of whoever has unlocked them one by one', async () => {
    const grace = await talking('grace');
    await grace.kez.account.lock();
    const other = await browsers.open('grace');
    await grace.kez.account.unlock(PASSPHRASE);
    await other.kez.account.unlock(PASSPHRASE);
    for (const { kez } of [grace, other]) {
      Object.assign(kez.push, { isOn: true, permission: 'granted' });
      kez.looked('frozen');
      kez.looked('visible');
      await expect.poll(() => kez.connection.state, PATIENCE).toBe('live');
    }
    expect(await nextPage('grace')).toBe('unlocked');
    await other.kez.account.lock();
    await expect.poll(() => grace.kez.account.status, PATIENCE).toBe('locked');
  });

  test('is not what other tabs do when staying unlocked is switched off, and on again', async () => {
    const judy = await talking('judy');
    const other = await browsers.open('judy');
    await live(other);
    Object.assign(other.kez.push, { isOn: true, permission: 'granted' });
    for (const [stays, status] of [
      [false, 'locked'],
      [true, 'unlocked'],
    ] as const) {
      other.kez.looked('frozen');
      judy.kez.settings.set('staysUnlocked', stays);
      await expect.poll(() => nextPage('judy'), PATIENCE).toBe(status);
      // It goes on before it hears of what was chosen.
      other.kez.looked('visible');
      await live(other);
      expect(other.kez.account.status).toBe('unlocked');
      expect(other.kez.settings.staysUnlocked).toBe(stays);
    }
  });

  test('is not undone by a passphrase that was typed before it', async () => {
    const heidi = await talking('heidi');
    await heidi.close();
    const reloaded = await browsers.open('heidi');
    const { account } = reloaded.kez;
    expect(account).toMatchObject({ status: 'unlocked', holdsIdentity: false });
    const bringingBack = account.unlock(PASSPHRASE);
    await account.lock();
    await bringingBack;
    expect(open(reloaded, heidi.peer)).toEqual(nothing);
    expect(await nextPage('heidi')).toBe('locked');
  });

  test('of one account is not undone by turning to another while its passphrase is tried', async () => {
    const { kez } = await talking('ivan');
    const ivan = kez.account.current?.primary ?? '';
    await kez.account.addAnother();
    const words = kez.account.drawPhrase();
    await kez.account.create({ handle: 'ivanka', passphrase: PASSPHRASE, words });
    await kez.account.lock();
    const unlocking = kez.account.unlock(PASSPHRASE);
    await kez.account.switchTo(ivan);
    await unlocking;
    expect(kez.account).toMatchObject({ status: 'locked', current: { handle: 'ivan' } });
    expect([kez.connection.state, kez.chats.isLoaded]).toEqual(['closed', false]);
    await kez.account.unlock(PASSPHRASE);
    expect(kez.account).toMatchObject({ status: 'unlocked', current: { handle: 'ivan' } });
  });

  test('is what other tabs do with an account that is removed, of which nothing is left or written', async () => {
    const karl = await talking('karl');
    const other = await browsers.open('karl');
    await live(other);
    const chat = await other.kez.chats.open(karl.peer);
    const primary = other.kez.account.current?.primary ?? '';
    chat.setDraft('half a thought');
    await karl.kez.account.forget(primary);
    expect(karl.kez.account).toMatchObject({ status: 'none', accounts: [] });
    await expect.poll(() => other.kez.account.status, PATIENCE).toBe('none');
    expect(open(other, karl.peer)).toEqual({ ...nothing, status: 'none' });
    expect(other.kez.account.accounts).toEqual([]);
    await expect(chat.send('after it was removed')).rejects.toThrow();
    await other.close();
    const database = await openDB('karl');
    for (const store of database.objectStoreNames) expect(await database.count(store), store).toBe(0);
    database.close();
  });
});
