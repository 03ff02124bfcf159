// Storage against IndexedDB as Node's stand-in has it: what is written comes back, encrypted, in order, once.
import 'fake-indexeddb/auto';
import { openDB } from 'idb';
import { beforeEach, describe, expect, test } from 'vitest';
import { utf8, type Bytes } from '../crypto/bytes.ts';
import { SecretKey } from '../crypto/keys.ts';
import { Accounts } from './accounts.ts';
import { ArchiveWriter, openArchive } from './archive.ts';
import { dataKeys } from './box.ts';
import { openDatabase } from './database.ts';
import type { KeptChat, KeptMessage } from './kept.ts';
import { Mailbox } from './mailbox.ts';
import { markPresent, wasWiped, type MarkerStore } from './presence.ts';
import { MIGRATIONS, type Database } from './schema.ts';
import { createVault, openVault, unwrapData, wrapData, type Derivation, type Derive } from './vault.ts';

const ALICE = `ed25519:${'aa'.repeat(32)}`;
const BOB = `ed25519:${'bb'.repeat(32)}`;
const CAROL = `ed25519:${'cc'.repeat(32)}`;
const quiet = { outdated: () => undefined };
const derivation: Derivation = { name: 'pbkdf2-sha256', passes: 1000, salt: new Uint8Array(16) };

const derive: Derive = async (passphrase, { passes, salt }) => {
  const material = await crypto.subtle.importKey('raw', utf8(passphrase), 'PBKDF2', false, ['deriveBits']);
  const parameters = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: passes };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, material, 256));
};

let database: Database;
let count = 0;

beforeEach(async () => {
  database = await openDatabase(quiet, `test-${count++}`);
});

async function mailbox(account = ALICE, secret = 1): Promise<Mailbox> {
  return new Mailbox(database, account, await dataKeys(new Uint8Array(32).fill(secret)));
}

function message(number: number, peer = BOB): KeptMessage {
  const id = number.toString(16).padStart(32, '0');
  return {
    id,
    peer,
    place: 0,
    isMine: number % 2 === 0,
    at: number * 1000,
    text: `words ${number}`,
    status: null,
  };
}

function chat(peer: string): KeptChat {
  return {
    peer,
    preview: 'secret preview',
    lastId: null,
    lastIsMine: false,
    lastStatus: null,
    lastAt: 1,
    unread: 0,
    readPlace: 0,
  };
}

describe('the database', () => {
  test('is migrated from every version that ever was', async () => {
    for (let version = 1; version <= MIGRATIONS.length; version++) {
      const name = `from-${version}`;
      const old = await openDatabase(quiet, name, MIGRATIONS.slice(0, version));
      await old.put('notes', { account: ALICE, name: 'kept', box: { nonce: bytes(12), sealed: bytes(16) } });
      old.close();
      const now = await openDatabase(quiet, name);
      expect(now.version).toBe(MIGRATIONS.length);
      expect([...now.objectStoreNames]).toEqual([
        'accounts',
        'chats',
        'messages',
        'notes',
        'outbox',
        'sessions',
      ]);
      expect((await now.get('notes', [ALICE, 'kept']))?.box.sealed).toHaveLength(16);
      now.close();
    }
  });

  test('tells a page that is older than it', async () => {
    let outdated = 0;
    const newer = await openDB('newer', MIGRATIONS.length + 1);
    newer.close();
    const opening = openDatabase({ outdated: () => outdated++ }, 'newer');
    await expect(opening).rejects.toThrow();
    expect(outdated).toBe(1);
  });

  test('lets go when a newer page comes', async () => {
    let outdated = 0;
    await openDatabase({ outdated: () => outdated++ }, 'shared');
    const newer = await openDB('shared', MIGRATIONS.length + 1);
    expect(outdated).toBe(1);
    newer.close();
  });
});

describe('a mailbox', () => {
  test('keeps messages in order, and each id once', async () => {
    const mail = await mailbox();
    expect((await mail.commit({ add: [message(1), message(2)] })).added).toHaveLength(2);
    const { added } = await mail.commit({
      add: [message(2), message(3), message(3, CAROL), message(4, CAROL)],
    });
    expect(added.map(({ id, place }) => [Number.parseInt(id, 16), place])).toEqual([
      [3, 3],
      [4, 1],
    ]);
    expect((await mail.page(BOB, undefined, 2)).map(({ text }) => text)).toEqual(['words 2', 'words 3']);
    expect((await mail.page(BOB, 2, 10)).map(({ place }) => place)).toEqual([1]);
    expect(await mail.page(BOB, 1, 10)).toEqual([]);
    expect((await mail.from(BOB, 2)).map(({ place }) => place)).toEqual([2, 3]);
    expect((await mail.byIds([message(4).id, message(99).id])).map(({ peer }) => peer)).toEqual([CAROL]);
    expect(await mail.count()).toBe(4);
  });

  test('pages over gaps where messages were removed', async () => {
    const mail = await mailbox();
    const { added } = await mail.commit({ add: Array.from({ length: 40 }, (_, at) => message(at)) });
    await mail.commit({ remove: added.slice(5, 38) });
    expect((await mail.page(BOB, undefined, 4)).map(({ place }) => place)).toEqual([4, 5, 39, 40]);
    await mail.commit({ remove: added.slice(38), add: [message(100)] });
    expect((await mail.page(BOB, undefined, 1)).map(({ text }) => text)).toEqual(['words 100']);
  });

  test('writes everything or nothing', async () => {
    const mail = await mailbox();
    const { added } = await mail.commit({ add: [message(1)], chats: [chat(BOB)], notes: { cursor: 7 } });
    const impossible = { ...message(2), place: Number.NaN };
    await expect(
      mail.commit({ add: [message(3)], update: [impossible], notes: { cursor: 8 } }),
    ).rejects.toThrow();
    expect([await mail.count(), await mail.note('cursor')]).toEqual([1, 7]);
    await mail.commit({ update: [{ ...message(1), place: added[0]?.place ?? 0, status: 'read' }] });
    expect((await mail.byIds([message(1).id]))[0]?.status).toBe('read');
  });

  test('writes a note that was encrypted before, and takes it away again', async () => {
    const mail = await mailbox();
    const write = await mail.prepareNote('draft:x', { text: 'half a thought' });
    expect(await mail.note('draft:x')).toBeUndefined();
    await write();
    expect(await mail.note('draft:x')).toEqual({ text: 'half a thought' });
    await (
      await mail.prepareNote('draft:x', undefined)
    )();
    expect(await mail.note('draft:x')).toBeUndefined();
  });

  test('shows nothing of itself to who has not the key', async () => {
    const mail = await mailbox();
    const outgoing = {
      place: 0,
      id: message(1).id,
      peer: BOB,
      kind: 'text' as const,
      sealed: 'on its way',
      at: 1,
    };
    const draft = await mail.noteAbout('draft', BOB);
    await mail.commit({
      add: [message(1)],
      chats: [chat(BOB)],
      send: [outgoing],
      notes: { [draft]: 'unsent' },
    });
    const everything = [];
    for (const store of database.objectStoreNames) everything.push(...(await database.getAll(store)));
    const bytes = (_: string, value: unknown) =>
      value instanceof Uint8Array ? new TextDecoder().decode(value) : value;
    const text = JSON.stringify(everything, bytes);
    expect(everything).toHaveLength(4);
    for (const secret of ['words', 'secret preview', 'unsent', 'on its way', BOB, 'bbbb', message(1).id]) {
      expect(text.includes(secret), secret).toBe(false);
    }
    const stranger = await mailbox(ALICE, 2);
    await expect(stranger.chats()).rejects.toThrow('malformed');
    expect(await stranger.page(BOB, undefined, 9)).toEqual([]);
    expect(await (await mailbox()).chats()).toEqual([chat(BOB)]);
  });

  test('is apart from that of another account', async () => {
    const [alice, bob] = [await mailbox(), await mailbox(BOB)];
    await alice.commit({ add: [message(1)], notes: { 'heads:x': 1, 'heads:y': 2 } });
    await bob.commit({ add: [message(1)] });
    expect(await alice.notes('heads:')).toEqual(
      new Map([
        ['x', 1],
        ['y', 2],
      ]),
    );
    await new Accounts(database).forget(ALICE);
    expect([await alice.count(), await bob.count(), await alice.note('heads:x')]).toEqual([0, 1, undefined]);
  });

  test('that is removed takes nothing that was begun before, and its account does not come back', async () => {
    const [mail, rows] = [await mailbox(), new Accounts(database)];
    const vault = await createVault(
      'x',
      ALICE,
      { seed: bytes(32), phrase: undefined, data: bytes(32) },
      derivation,
      derive,
    );
    const row = { primary: ALICE, handle: 'alice', server: 'kez.test', addedAt: '', usedAt: 1, vault };
    await rows.put(row);
    await rows.change({ ...row, usedAt: 2 });
    expect(await rows.list()).toMatchObject([{ usedAt: 2 }]);
    const write = await mail.prepareNote('draft:x', 'half a thought');
    const begun = [mail.commit({ add: [message(1)] }), mail.replace(BOB, [message(2)])];
    const late = Promise.allSettled(begun);
    mail.close();
    await rows.forget(ALICE);
    await rows.change({ ...row, usedAt: 3 });
    const refused = { status: 'rejected', reason: { code: 'storage_unavailable' } };
    expect(await late).toMatchObject([refused, refused]);
    await expect(write()).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect([await rows.list(), await mail.count(), await mail.note('draft:x')]).toEqual([[], 0, undefined]);
  });

  test('sends what waits in order, until it is sent', async () => {
    const mail = await mailbox();
    const outgoing = (id: string) => ({
      place: 0,
      id,
      peer: BOB,
      kind: 'text' as const,
      sealed: `{"${id}":1}`,
      at: 1,
    });
    await mail.commit({ send: [outgoing('a'), outgoing('b')] });
    const waiting = await mail.outbox();
    expect(waiting.map(({ id, sealed }) => [id, sealed])).toEqual([
      ['a', '{"a":1}'],
      ['b', '{"b":1}'],
    ]);
    await mail.commit({ sent: [waiting[0]?.place ?? 0] });
    expect((await mail.outbox()).map(({ id }) => id)).toEqual(['b']);
  });
});

describe('a session', () => {
  const session = async (id: string) => {
    const { data, tags } = await dataKeys(bytes(32, 1));
    const opening = await SecretKey.fromSeed(bytes(32, 2)).portablePair();
    return { primary: ALICE, id, opening, data, tags, expiresAt: 1 };
  };

  test('is renewed while it stands, and not once it was ended elsewhere', async () => {
    const rows = new Accounts(database);
    expect(await rows.keepSession(await session('a'), false)).toBe('a');
    expect(await rows.keepSession(await session('a'), true)).toBe('a');
    await rows.endSession(ALICE);
    expect(await rows.keepSession(await session('a'), true)).toBeUndefined();
    expect(await rows.session(ALICE, 0)).toBeUndefined();
    expect(await rows.keepSession(await session('b'), false)).toBe('b');
    expect(await rows.keepSession(await session('a'), true)).toBeUndefined();
    expect((await rows.session(ALICE, 0))?.id).toBe('b');
  });

  test('is one for tabs that were unlocked apart, and ended by who knows it', async () => {
    const rows = new Accounts(database);
    await rows.keepSession(await session('a'), false);
    expect(await rows.keepSession(await session('b'), false)).toBe('a');
    await rows.endSession(ALICE, 'b');
    expect((await rows.session(ALICE, 0))?.id).toBe('a');
    await rows.endSession(ALICE, 'a');
    expect(await rows.session(ALICE, 0)).toBeUndefined();
  });

  test('of an early version, which had no id, is renewed and ended like others', async () => {
    const rows = new Accounts(database);
    const { id: _, ...early } = await session('');
    await database.put('sessions', early);
    expect(await rows.keepSession(await session(''), true)).toBe('');
    await database.put('sessions', early);
    await rows.endSession(ALICE, '');
    expect(await rows.session(ALICE, 0)).toBeUndefined();
  });
});

describe('a vault', () => {
  const secrets = () => ({ seed: bytes(32, 1), phrase: 'legal winner thank year', data: bytes(32, 2) });

  test('opens with its passphrase, typed in whichever form, and with no other', async () => {
    const vault = await createVault('caf\u00e9 1', ALICE, secrets(), derivation, derive);
    expect(await openVault('cafe\u0301 1', ALICE, vault, derive)).toEqual(secrets());
    await expect(openVault('cafe 1', ALICE, vault, derive)).rejects.toMatchObject({
      code: 'wrong_passphrase',
    });
    await expect(openVault('café 1', BOB, vault, derive)).rejects.toMatchObject({ code: 'wrong_passphrase' });
    const nonces = [vault.seed, vault.phrase, vault.data].map((box) => String(box?.nonce));
    expect(new Set(nonces).size).toBe(3);
  });

  test('gives the data key to whoever has the seed, and to nobody else', async () => {
    const box = await wrapData(secrets(), ALICE);
    expect(await unwrapData(bytes(32, 1), ALICE, box)).toEqual(secrets().data);
    await expect(unwrapData(bytes(32, 3), ALICE, box)).rejects.toMatchObject({ code: 'malformed' });
    await expect(unwrapData(bytes(32, 1), BOB, box)).rejects.toMatchObject({ code: 'malformed' });
  });
});

describe('an archive', () => {
  const owner = { primary: ALICE, handle: 'alice', server: 'kez.test' };

  async function archive(): Promise<Bytes> {
    const writer = new ArchiveWriter(owner, 1_800_000_000);
    writer.message({ ...message(2), status: 'sending' });
    writer.message({ ...message(3), text: null, body: { kind: 'poll' } });
    writer.draft(BOB, 'not yet');
    return writer.seal('open sesame', derivation, derive);
  }

  test('reads back, with what was on its way as failed', async () => {
    const content = await openArchive(await archive(), 'open sesame', derive);
    expect(content.owner).toEqual(owner);
    expect(content.messages).toEqual([
      { ...message(2), status: 'failed' },
      { ...message(3), text: null, body: { kind: 'poll' } },
    ]);
    expect(content.drafts).toEqual([{ peer: BOB, text: 'not yet' }]);
  });

  test('refuses another passphrase, another file, and what was changed', async () => {
    const file = await archive();
    await expect(openArchive(file, 'open', derive)).rejects.toMatchObject({ code: 'wrong_passphrase' });
    const changed = file.slice();
    changed[changed.length - 20] = (changed.at(-20) ?? 0) ^ 1;
    await expect(openArchive(changed, 'open sesame', derive)).rejects.toMatchObject({
      code: 'wrong_passphrase',
    });
    await expect(openArchive(utf8('PK'), '', derive)).rejects.toMatchObject({ code: 'malformed' });
    const newer = utf8('kez-archive-2\n{}\n');
    await expect(openArchive(newer, '', derive)).rejects.toMatchObject({ code: 'unsupported_version' });
    const greedy = '{"name":"argon2id","passes":3,"lanes":1,"memory_kib":99999999,"salt":""}';
    const bomb = utf8(`kez-archive-1\n{"cipher":"aes-256-gcm","kdf":${greedy},"nonce":""}\n`);
    await expect(openArchive(bomb, '', derive)).rejects.toMatchObject({ code: 'unsupported_version' });
  });
});

test('a wiped store is noticed by the marker beside it', () => {
  const held = new Map<string, string>();
  const store: MarkerStore = {
    getItem: (name) => held.get(name) ?? null,
    setItem: (name, value) => void held.set(name, value),
    removeItem: (name) => void held.delete(name),
  };
  expect(wasWiped(store, 0)).toBe(false);
  markPresent(store, 2);
  expect([wasWiped(store, 2), wasWiped(store, 0)]).toEqual([false, true]);
  markPresent(store, 0);
  expect(wasWiped(store, 0)).toBe(false);
});

function bytes(length: number, fill = 0): Bytes {
  return new Uint8Array(length).fill(fill);
}
