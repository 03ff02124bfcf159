// What the service worker finds when a push wakes it, in a real mailbox behind a real broker: what I have read on another device
// is nothing to tell of, and only I can say so.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toHex } from '../src/crypto/bytes.ts';
import { SecretKey } from '../src/crypto/keys.ts';
import { Http } from '../src/nats/http.ts';
import { makeCredential } from '../src/state/wake-credential.ts';
import type { WakeRecord } from '../src/storage/wakes.ts';
import { Look, type Sight } from '../src/worker-push/look.ts';
import { Mesh, missingMesh } from './mesh.ts';
import { Stranger } from './stranger.ts';

const missing = missingMesh();
if (missing) console.warn(`skipped: ${missing}`);

let count = 0;
const newId = () => toHex(crypto.getRandomValues(new Uint8Array(16)));

describe.skipIf(missing)('a look into the mailbox', () => {
  let mesh: Mesh;
  let bob: Stranger;
  let mallory: Stranger;

  beforeAll(async () => {
    mesh = await Mesh.start();
    bob = await new Stranger(mesh.origin).register('bob', mesh.server);
    mallory = await new Stranger(mesh.origin).register('mallory', mesh.server);
  });
  afterAll(() => mesh?.stop());

  /** Somebody who sleeps, in whose mailbox others write. */
  class Sleeping {
    readonly #person: Stranger;
    #record: WakeRecord;

    private constructor(person: Stranger, record: WakeRecord) {
      this.#person = person;
      this.#record = record;
    }

    static async begin(): Promise<Sleeping> {
      const handle = `alice${count++}`;
      const person = await new Stranger(mesh.origin).register(handle, mesh.server);
      const { key } = person;
      const { nats } = await new Http(mesh.origin).config();
      const now = Date.now();
      const terms = { url: nats[0] ?? '', server: mesh.server, now };
      const credential = await makeCredential({ primary: key.primary, signer: key }, terms);
      if (!credential) throw new Error('no Ed25519 here');
      return new Sleeping(person, {
        primary: key.primary,
        handle,
        server: mesh.server,
        endpoint: 'https://push.example.org/1',
        previews: true,
        since: 0,
        told: 0,
        unread: 0,
        credential,
        opening: { pair: await key.openingPair(), until: now + 60_000 },
      });
    }

    /** Something of somebody's comes: a text, without `read`. The id that it has. */
    async get(from: Stranger, words: string): Promise<string> {
      const id = newId();
      await this.#post(from, { id, body: { kind: 'text', text: words } });
      return id;
    }

    /** It is said that I have read this. */
    async hearRead(from: Stranger, of: string[], given: { from?: string; signer?: SecretKey } = {}) {
      await this.#post(from, { id: newId(), body: { kind: 'receipt', status: 'read', of }, ...given });
    }

    /** On another device of mine, which speaks with the identity's own key. */
    read(...of: string[]): Promise<void> {
      return this.hearRead(this.#person, of);
    }

    get primary(): string {
      return this.#record.primary;
    }

    /** As if a page had taken in something else that nobody has read. */
    leaveUnread(unread: number): void {
      this.#record = { ...this.#record, unread };
    }

    /** A notification has told of this. */
    hearOf({ last }: Sight & { kind: 'seen' }): void {
      this.#record = { ...this.#record, told: Math.max(this.#record.told, last) };
    }

    /** A receipt as long as a message may be, of nothing that I have written. */
    async getLong(from: Stranger): Promise<void> {
      const of = Array.from({ length: 5_300 }, newId);
      await this.#post(from, { id: newId(), body: { kind: 'receipt', status: 'read', of } });
    }

    async see(now = Date.now()): Promise<Sight & { kind: 'seen' }> {
      const terms = { now, signal: AbortSignal.timeout(20_000), origin: mesh.origin };
      const look = new Look(this.#record, terms);
      const sight = await look.see();
      look.close();
      if (sight.kind !== 'seen') throw new Error('nobody could look');
      return sight;
    }

    async #post(from: Stranger, letter: Omit<Parameters<Stranger['seal']>[0], 'to'>): Promise<void> {
      await from.post(this.primary, await from.seal({ to: this.primary, ...letter }));
    }
  }

  const texts = ({ letters }: Sight & { kind: 'seen' }) => letters.map(({ text }) => text);

  test('finds what is not read yet', async () => {
    const alice = await Sleeping.begin();
    const one = await alice.get(bob, 'one');
    await alice.get(bob, 'two');
    await alice.get(mallory, 'three');
    expect(await alice.see()).toMatchObject({ hasSealed: false, isReadElsewhere: false });
    await alice.read(one);
    const sight = await alice.see();
    expect(texts(sight)).toEqual(['two', 'three']);
    expect(sight).toMatchObject({ hasSealed: false, isReadElsewhere: false });
  });

  test('says when nothing is left', async () => {
    const alice = await Sleeping.begin();
    const ids = [await alice.get(bob, 'one'), await alice.get(mallory, 'two')];
    await alice.read(...ids);
    expect(await alice.see()).toMatchObject({ letters: [], hasSealed: false, isReadElsewhere: true });
    // Something that a page took in may be what a notification tells of.
    alice.leaveUnread(1);
    expect(await alice.see()).toMatchObject({ letters: [], isReadElsewhere: false });
    alice.leaveUnread(0);
    await alice.get(bob, 'three');
    expect(await alice.see()).toMatchObject({ letters: [{ text: 'three' }], isReadElsewhere: false });
  });

  test('an empty mailbox, and one with nothing but receipts, is not one that was read elsewhere', async () => {
    const alice = await Sleeping.begin();
    expect(await alice.see()).toMatchObject({ letters: [], isReadElsewhere: false });
    await alice.read(newId());
    await alice.hearRead(bob, [newId()]);
    expect(await alice.see()).toMatchObject({ letters: [], hasSealed: false, isReadElsewhere: false });
  });

  test('nobody else says what I have read', async () => {
    const alice = await Sleeping.begin();
    const id = await alice.get(bob, 'still unread');
    await alice.hearRead(bob, [id]);
    await alice.hearRead(mallory, [id]);
    const signer = SecretKey.fromSeed(crypto.getRandomValues(new Uint8Array(32)));
    await alice.hearRead(mallory, [id], { from: alice.primary, signer });
    const sight = await alice.see();
    expect(texts(sight)).toEqual(['still unread']);
    // A forgery in my own name is nothing to be woken for either.
    expect(sight).toMatchObject({ hasSealed: false, isReadElsewhere: false });
  });

  test('nobody fills all that can be seen, so that what comes behind is never told of', async () => {
    const alice = await Sleeping.begin();
    for (let sent = 0; sent < 24; sent++) await alice.getLong(mallory);
    await alice.get(bob, 'behind it all');
    // There is more than is read at a time, so something is told of; the next look goes on from there.
    for (let looks = 0; looks < 2; looks++) {
      const sight = await alice.see();
      expect(sight).toMatchObject({ letters: [], hasSealed: true, isWhole: false, isReadElsewhere: false });
      alice.hearOf(sight);
    }
    const sight = await alice.see();
    expect(sight).toMatchObject({ letters: [{ text: 'behind it all' }], hasSealed: false, isWhole: false });
    alice.hearOf(sight);
    await alice.get(bob, 'and that');
    const texts = async () => (await alice.see()).letters.map(({ text }) => text);
    expect(await texts()).toEqual(['and that']);
  });

  test('a clock that is behind takes no words from a notification', async () => {
    const alice = await Sleeping.begin();
    await alice.get(bob, 'just now');
    const { letters } = await alice.see(Date.now() - 3_600_000);
    expect(letters.map(({ text }) => text)).toEqual(['just now']);
  });
});
