// Locking holds: whatever the network, storage and other tabs do at that moment, nothing stays open and nothing opens again.
import 'fake-indexeddb/auto';
import { openDB } from 'idb';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { MIGRATIONS } from '../src/storage/schema.ts';
import { Browsers, live, PASSPHRASE, PATIENCE } from './browsers.ts';
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

  test('needs no storage: what is open is wiped where the database is gone', async () => {
    const carol = await talking('carol');
    // As a tab with a newer version of the page does.
    const newer = await openDB('carol', MIGRATIONS.length + 1);
    await carol.kez.account.lock();
    expect(open(carol, carol.peer)).toEqual(nothing);
    newer.close();
  });
});
