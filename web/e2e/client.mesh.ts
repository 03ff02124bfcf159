// The client's whole state against a real mesh: accounts, chats both ways, receipts, outages, reloads, two tabs, claims.
import 'fake-indexeddb/auto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Mesh, missingMesh, type CliPerson } from './mesh.ts';
import { openTab, type Tab } from './tab.ts';

const missing = missingMesh();
if (missing) console.warn(`skipped: ${missing}`);

describe.skipIf(missing)('the client', () => {
  let mesh: Mesh;
  let bob: CliPerson;
  const tabs: Tab[] = [];
  const open = (browser: string) => {
    const tab = openTab(mesh.origin, browser);
    tabs.push(tab);
    return tab;
  };

  beforeAll(async () => {
    mesh = await Mesh.start();
    bob = await mesh.person('bob');
  });
  afterEach(async () => {
    for (const tab of tabs.splice(0)) await tab.close();
  });
  afterAll(() => mesh?.stop());

  test('creates an account, and chats with the command line', async () => {
    const { account, chats, connection, people } = await created('alice');
    expect(connection.server).toBe('localhost');
    const peer = await chats.begin('bob');
    expect(people.name(peer)).toBe('bob');
    const thread = await chats.open(peer);
    await thread.send('hello bob');
    await expect
      .poll(() => thread.messages.map(({ text, status }) => [text, status]))
      .toEqual([['hello bob', 'sent']]);
    const [received] = await bob.inbox();
    expect(received).toMatchObject({ handle: 'alice', body: { kind: 'text', text: 'hello bob' } });

    await bob.kez('send', 'alice', 'hello alice');
    await expect.poll(() => thread.messages.map(({ text }) => text)).toEqual(['hello bob', 'hello alice']);
    expect(chats.list).toMatchObject([{ peer, preview: 'hello alice', unread: 1 }]);
    await thread.markRead();
    expect(chats.unread).toBe(0);
    const kinds = async () =>
      (await bob.inbox()).map(({ body }) => (body as { status?: string }).status ?? 'text');
    await expect.poll(kinds, { timeout: 10_000 }).toEqual(['text', 'delivered', 'read']);
    expect(account.status).toBe('unlocked');
  });

  /** A fresh browser in which somebody has made an account and is connected. */
  async function created(handle: string) {
    const tab = open(handle);
    const { kez } = tab;
    await kez.account.start();
    expect(kez.account.status).toBe('none');
    const words = kez.account.drawPhrase();
    await kez.account.create({ handle, passphrase: 'open sesame', words });
    await expect.poll(() => kez.connection.state, { timeout: 10_000 }).toBe('live');
    return { tab, words, ...parts(tab) };
  }

  function parts({ kez }: Tab) {
    const { account, chats, connection, people, claims, chains, search, archive } = kez;
    return { account, chats, connection, people, claims, chains, search, archive };
  }
});
