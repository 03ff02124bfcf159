// The client's whole state against a real mesh: accounts, chats both ways, outages, reloads, tabs, devices, archives.
import 'fake-indexeddb/auto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { SecretKey } from '../src/crypto/keys.ts';
import { Browsers, live, PASSPHRASE, PATIENCE } from './browsers.ts';
import { Mesh, missingMesh, type CliPerson } from './mesh.ts';
import { Stranger } from './stranger.ts';
import type { Tab } from './tab.ts';

const missing = missingMesh();
if (missing) console.warn(`skipped: ${missing}`);

describe.skipIf(missing)('the client', () => {
  let mesh: Mesh;
  let bob: CliPerson;
  const browsers = new Browsers(() => mesh.origin);

  beforeAll(async () => {
    mesh = await Mesh.start();
    bob = await mesh.person('bob');
  });
  afterEach(() => browsers.close());
  afterAll(() => mesh?.stop());

  async function thread({ kez }: Tab, who: string) {
    return kez.chats.open(await kez.chats.begin(who));
  }

  const shown = ({ kez }: Tab) => kez.chats.thread?.messages.map(({ text, status }) => [text, status]);

  test('creates an account, and chats with the command line', async () => {
    const alice = await browsers.create('alice');
    expect(alice.kez.account.status).toBe('unlocked');
    expect(alice.kez.connection.server).toBe('localhost');
    const chat = await thread(alice, 'bob@localhost');
    expect(alice.kez.people.name(chat.peer)).toBe('bob');
    await chat.send('hello bob');
    await expect.poll(() => shown(alice)).toEqual([['hello bob', 'sent']]);
    expect(await bob.inbox()).toMatchObject([{ handle: 'alice', body: { kind: 'text', text: 'hello bob' } }]);

    await bob.kez('send', 'alice', 'hello alice');
    await expect.poll(() => chat.messages.map(({ text }) => text)).toEqual(['hello bob', 'hello alice']);
    expect(alice.kez.chats.list).toMatchObject([{ peer: chat.peer, preview: 'hello alice', unread: 1 }]);
    await chat.markRead();
    expect(alice.kez.chats.unread).toBe(0);
    const kinds = async () =>
      (await bob.inbox()).map(({ body }) => (body as { status?: string }).status ?? 'text');
    await expect.poll(kinds, PATIENCE).toEqual(['text', 'delivered', 'read']);
  });

  test('shows how far a message came, and what is unread', async () => {
    const [carol, dave] = [await browsers.create('carol'), await browsers.create('dave')];
    const there = await thread(carol, 'dave');
    await there.send('one');
    await there.send('two');
    await expect
      .poll(() => shown(carol))
      .toEqual([
        ['one', 'delivered'],
        ['two', 'delivered'],
      ]);
    await expect.poll(() => dave.kez.chats.unread).toBe(2);
    const here = await thread(dave, 'carol');
    expect(here.firstUnread).toBe(here.messages[0]?.id);
    await here.markRead();
    await expect.poll(() => shown(carol)?.map(([, status]) => status)).toEqual(['read', 'read']);
    expect(dave.kez.chats.unread).toBe(0);
  });

  test('keeps what is written while the server is away, also over a reload, and sends it once', async () => {
    const erin = await browsers.create('erin');
    const chat = await thread(erin, 'bob');
    await mesh.down();
    await expect.poll(() => erin.kez.connection.state, PATIENCE).toBe('reconnecting');
    await chat.send('while away');
    chat.setDraft('not finished');
    expect(shown(erin)).toEqual([['while away', 'sending']]);
    await erin.close();

    const again = await browsers.open('erin');
    expect(again.kez.account).toMatchObject({ status: 'unlocked', holdsIdentity: false });
    const reopened = await again.kez.chats.open(chat.peer);
    expect([shown(again), reopened.draft]).toEqual([[['while away', 'sending']], 'not finished']);
    await reopened.send('and one more');
    await mesh.up();
    await live(again);
    await expect
      .poll(() => shown(again), PATIENCE)
      .toEqual([
        ['while away', 'sent'],
        ['and one more', 'sent'],
      ]);
    const texts = (await bob.inbox()).filter(({ handle }) => handle === 'erin').map(({ body }) => body);
    expect(texts).toMatchObject([{ text: 'while away' }, { text: 'and one more' }]);
  });

  test('keeps the order of what is written at once', async () => {
    const mike = await browsers.create('mike');
    const chat = await thread(mike, 'bob');
    const numbers = Array.from({ length: 12 }, (_, at) => `number ${at}`);
    const tooLong = 'x'.repeat(300_000);
    const sent = await Promise.allSettled([...numbers, tooLong].map((text) => chat.send(text)));
    expect(sent.at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'too_large' } });
    expect(chat.draft).toBe(tooLong);
    await expect.poll(() => shown(mike), PATIENCE).toEqual(numbers.map((text) => [text, 'sent']));
    const received = (await bob.inbox()).filter(({ handle }) => handle === 'mike');
    expect(received.map(({ body }) => (body as { text: string }).text)).toEqual(numbers);
  });

  test('locks whole also where notifications cannot be arranged, and unlocks again', async () => {
    const open = indexedDB.open.bind(indexedDB);
    const opening = vi.spyOn(indexedDB, 'open').mockImplementation((name, version) => {
      if (name.endsWith('-wake')) throw new DOMException('the disk is broken', 'UnknownError');
      return open(name, version);
    });
    try {
      const sven = await browsers.create('sven');
      const { kez } = sven;
      await (await thread(sven, 'bob')).send('before it is locked');
      // Some account of this browser once had notifications on.
      sven.store.set('kez.push', 'yes');
      kez.looked('visible');
      kez.push.hear({ kind: 'push' });
      await kez.account.lock('unknown_device');
      expect(kez.account).toMatchObject({
        status: 'locked',
        holdsIdentity: false,
        lockedBecause: 'unknown_device',
      });
      expect([kez.chats.list, kez.chats.thread, kez.connection.state]).toEqual([[], null, 'closed']);
      await kez.account.unlock(PASSPHRASE);
      await live(sven);
      expect(kez.chats.list).toMatchObject([{ preview: 'before it is locked' }]);
      // Whose turn it was is given up, or nothing would be sent any more.
      await (await thread(sven, 'bob')).send('and after');
      await expect.poll(() => shown(sven)?.at(-1), PATIENCE).toEqual(['and after', 'sent']);
    } finally {
      opening.mockRestore();
    }
  });

  test('shows nothing while it is locked', async () => {
    const frank = await browsers.create('frank');
    await (await thread(frank, 'bob')).send('a secret');
    await frank.kez.account.lock();
    const { account, chats, connection } = frank.kez;
    expect([account.status, account.holdsIdentity, chats.list, chats.thread, connection.state]).toEqual([
      'locked',
      false,
      [],
      null,
      'closed',
    ]);
    const reloaded = await browsers.open('frank');
    expect(reloaded.kez.account.status).toBe('locked');
    await expect(reloaded.kez.account.unlock('open')).rejects.toMatchObject({ code: 'wrong_passphrase' });
    await reloaded.kez.account.unlock(PASSPHRASE);
    await live(reloaded);
    expect(reloaded.kez.chats.list).toMatchObject([{ preview: 'a secret' }]);
    const chain = await reloaded.kez.chains.read(reloaded.kez.account.current?.primary ?? '');
    expect(chain.devices).toMatchObject([{ name: 'Chrome on Linux', isThis: true }]);
  });

  test('is restored in a blank browser, with a device and an archive of its own', async () => {
    const grace = await browsers.create('grace');
    await (await thread(grace, 'bob')).send('from the first browser');
    await expect.poll(() => shown(grace)).toEqual([['from the first browser', 'sent']]);
    const file = await grace.kez.archive.export('archive');
    await bob.kez('send', 'grace', 'to both of you');

    const second = await browsers.open('grace-2');
    expect(await second.kez.account.findHandle(grace.words.join(' '))).toBe('grace');
    await second.kez.account.restore({ secret: grace.words.join('\n').toUpperCase(), passphrase: 'another' });
    await live(second);
    const chat = await thread(second, 'bob');
    await expect.poll(() => shown(second)).toEqual([['to both of you', null]]);
    await expect(second.kez.archive.import(file, 'wrong')).rejects.toMatchObject({
      code: 'wrong_passphrase',
    });
    expect(await second.kez.archive.import(file, 'archive')).toEqual({ messages: 1, known: 0 });
    expect(await second.kez.archive.import(file, 'archive')).toEqual({ messages: 0, known: 1 });
    expect(await openedAtTheCommandLine(bob, file, 'archive')).toEqual(['from the first browser']);
    await expect
      .poll(() => chat.messages.map(({ text }) => text))
      .toEqual(['from the first browser', 'to both of you']);
    const texts = async () => grace.kez.chats.thread?.messages.map(({ text }) => text);
    await expect.poll(texts).toEqual(['from the first browser', 'to both of you']);

    // The first browser is taken off the sigchain: it is put out, and locked.
    const { devices } = await second.kez.chains.read(grace.kez.account.current?.primary ?? '');
    const first = devices.find(({ isThis }) => !isThis)?.device ?? '';
    await grace.close();
    const reloaded = await browsers.open('grace');
    await live(reloaded);
    await second.kez.chains.revokeDevice(first);
    await expect.poll(() => reloaded.kez.account.lockedBecause, PATIENCE).toBe('unknown_device');
    expect(reloaded.kez.account.status).toBe('locked');
    await reloaded.kez.account.unlock(PASSPHRASE);
    await live(reloaded);
  });

  test('shows what the same person sends from the command line, as sent', async () => {
    const nora = await browsers.create('nora');
    const { peer } = await thread(nora, 'bob');
    const typed = await mesh.restored('nora', nora.words);
    await typed.kez('send', 'bob', 'typed elsewhere');
    await typed.kez('send', 'bob', 'and over HTTP', '--http');
    await expect
      .poll(() => shown(nora))
      .toEqual([
        ['typed elsewhere', 'sent'],
        ['and over HTTP', 'sent'],
      ]);
    expect(nora.kez.chats.list).toMatchObject([{ peer, preview: 'and over HTTP', unread: 0 }]);
    // What the browser has acknowledged is gone from the mailbox: this one stays until it is looked at.
    await nora.close();
    await typed.kez('send', 'bob', 'while nobody looks');
    const line = {
      handle: 'nora',
      to_handle: 'bob',
      body: { text: 'while nobody looks', copy_of: { to: peer } },
    };
    expect((await typed.inbox()).at(-1)).toMatchObject(line);
  });

  test('does nothing twice in two tabs, and goes on in one when the other is closed', async () => {
    const heidi = await browsers.create('heidi');
    const other = await browsers.open('heidi');
    await live(other);
    await bob.kez('send', 'heidi', 'first');
    await expect
      .poll(() => [heidi, other].map(({ kez }) => kez.chats.list[0]?.preview))
      .toEqual(['first', 'first']);
    const chat = await thread(other, 'bob');
    await chat.send('from the other tab');
    await thread(heidi, 'bob');
    const both = [
      ['first', null],
      ['from the other tab', 'sent'],
    ];
    await expect.poll(() => [shown(heidi), shown(other)]).toEqual([both, both]);
    await heidi.close();
    await bob.kez('send', 'heidi', 'second');
    await expect
      .poll(() => shown(other)?.map(([text]) => text))
      .toEqual(['first', 'from the other tab', 'second']);
    await chat.markRead();
    const receipts = async () =>
      (await bob.inbox())
        .filter(({ handle }) => handle === 'heidi')
        .map(({ body }) => (body as { status?: string; of?: string[] }).status ?? 'text');
    await expect.poll(receipts, PATIENCE).toEqual(['delivered', 'text', 'delivered', 'read']);

    await other.kez.account.lock();
    expect(other.kez.account.status).toBe('locked');
  });

  test('reads and sends in the tab that is looked at, whichever one was stopped', async () => {
    const first = await browsers.create('rita');
    const second = await browsers.open('rita');
    await live(second);
    // Where a push would wake somebody, a page that is stopped leaves altogether.
    for (const { kez } of [first, second]) Object.assign(kez.push, { isOn: true, permission: 'granted' });
    const [here, there] = [await thread(first, 'bob'), await thread(second, 'bob')];
    const texts = (tab: Tab) => expect.poll(() => shown(tab), PATIENCE);
    for (const [stopped, goesOn] of [
      [first, second],
      [second, first],
    ] as const) {
      stopped.kez.looked('frozen');
      const [at, chat] = goesOn === first ? ['first', here] : ['second', there];
      const before = shown(goesOn) ?? [];
      await bob.kez('send', 'rita', `to the ${at}`);
      await texts(goesOn).toEqual([...before, [`to the ${at}`, null]]);
      await chat.send(`from the ${at}`);
      const both = [...before, [`to the ${at}`, null], [`from the ${at}`, 'sent']];
      await texts(goesOn).toEqual(both);
      stopped.kez.looked('visible');
      await texts(stopped).toEqual(both);
      await live(stopped);
    }
    const arrived = (await bob.inbox()).filter(({ handle }) => handle === 'rita').map(({ body }) => body);
    expect(arrived.flatMap((body) => (body as { text?: string }).text ?? [])).toEqual([
      'from the second',
      'from the first',
    ]);
  });

  test('believes no forged receipt, no replay and no device that is nobody’s', async () => {
    const ivan = await browsers.create('ivan');
    const mallory = await new Stranger(mesh.origin).register('mallory', mesh.server);
    const me = ivan.kez.account.current?.primary ?? '';
    const chat = await thread(ivan, 'bob');
    await chat.send('for bob only');
    await expect.poll(() => shown(ivan)).toEqual([['for bob only', 'sent']]);
    const of = [chat.messages[0]?.id ?? ''];
    const id = (number: number) => number.toString(16).padStart(32, '0');
    const say = async (number: number, text: string, more: { signer?: SecretKey; sentAt?: number } = {}) =>
      mallory.seal({ to: me, id: id(number), body: { kind: 'text', text }, ...more });

    await mallory.post(
      me,
      await mallory.seal({ to: me, id: id(1), body: { kind: 'receipt', status: 'read', of } }),
    );
    await mallory.post(me, await say(2, 'once'));
    await mallory.post(me, await say(2, 'again, under the same id'));
    const device = SecretKey.fromSeed(new Uint8Array(32).fill(9));
    await mallory.post(me, await say(3, 'from nobody’s device', { signer: device }));
    await mallory.post(me, await say(4, 'from last month', { sentAt: Date.now() / 1000 - 30 * 86_400 }));
    await mallory.post(
      me,
      await mallory.seal({ to: bob.primary, id: id(5), body: { kind: 'text', text: 'for bob' } }),
    );
    const body = { kind: 'unknown', value: { kind: 'hologram', of: 1 } } as const;
    await mallory.post(me, await mallory.seal({ to: me, id: id(6), body }));

    await expect
      .poll(() => ivan.kez.chats.list.find(({ peer }) => peer === mallory.key.primary)?.unread)
      .toBe(2);
    const forged = await ivan.kez.chats.open(mallory.key.primary);
    expect(forged.messages.map(({ text }) => text)).toEqual(['once', null]);
    expect(ivan.kez.chats.refused).toEqual({ unknown_device: 1, stale: 1, cannot_open: 1 });
    await ivan.kez.chats.open(chat.peer);
    expect(shown(ivan)).toEqual([['for bob only', 'sent']]);
  });

  test('says what cannot be delivered, and tries again when asked', async () => {
    const judy = await browsers.create('judy');
    const nobody = SecretKey.fromSeed(crypto.getRandomValues(new Uint8Array(32))).primary;
    await expect(judy.kez.chats.begin('nobody-at-all')).rejects.toMatchObject({ code: 'not_found' });
    await expect(judy.kez.chats.begin('bob@elsewhere')).rejects.toMatchObject({ code: 'wrong_server' });
    await expect(judy.kez.chats.begin('x')).rejects.toMatchObject({ code: 'invalid_handle' });
    const chat = await judy.kez.chats.open(nobody);
    await chat.send('anybody there?');
    await expect
      .poll(() => chat.messages[0])
      .toMatchObject({ status: 'failed', failure: 'unknown_recipient' });
    await chat.retry(chat.messages[0]?.id ?? '');
    await expect.poll(() => chat.messages[0]).toMatchObject({ status: 'failed' });
    await chat.discard(chat.messages[0]?.id ?? '');
    expect(chat.messages).toEqual([]);
  });

  test('claims an account, sees it fail, and takes it back', async () => {
    const karl = await browsers.create('karl');
    const { claims } = karl.kez;
    expect(claims.subject('github', 'https://github.com/Karl')).toEqual({ subject: 'github:karl' });
    const signed = await claims.sign('dns:kez.invalid');
    expect(signed).toMatchObject({
      place: '_kez.kez.invalid',
      compact: expect.stringMatching(/^kez:z1:/) as string,
    });
    await claims.add('dns:kez.invalid');
    expect(claims.mine).toMatchObject([{ subject: 'dns:kez.invalid', sync: 'synced' }]);
    await expect.poll(() => claims.mine[0]?.status, { timeout: 40_000 }).toMatch(/failed|unreachable/);
    await claims.revoke('dns:kez.invalid');
    expect(claims.mine).toEqual([]);
  });

  test('finds what was said', async () => {
    const lena = await browsers.create('lena');
    const chat = await thread(lena, 'bob');
    await chat.send('The blue Café by the river');
    await chat.send('nothing of interest');
    await expect.poll(() => shown(lena)?.[1]).toEqual(['nothing of interest', 'sent']);
    expect(await lena.kez.search.find('cafe\u0301 riv')).toMatchObject([
      { text: 'The blue Café by the river' },
    ]);
    await chat.send('another river');
    const texts = async () => (await lena.kez.search.find('river')).map(({ text }) => text);
    await expect.poll(async () => (await texts()).length).toBe(2);
    expect(await lena.kez.search.find('river', 'ed25519:00')).toEqual([]);
  });
});

/** The texts that `kez archive open` finds in an archive. */
async function openedAtTheCommandLine(by: CliPerson, archive: Blob, passphrase: string): Promise<unknown[]> {
  const folder = await mkdtemp(join(tmpdir(), 'kez-archive-'));
  try {
    const [file, secret] = [join(folder, 'archive.kez'), join(folder, 'passphrase')];
    await writeFile(file, new Uint8Array(await archive.arrayBuffer()));
    await writeFile(secret, passphrase);
    const lines = await by.kez('archive', 'open', file, '--json', '--passphrase-file', secret);
    return lines
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { text: unknown }).text);
  } finally {
    await rm(folder, { recursive: true });
  }
}
