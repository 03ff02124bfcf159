// Pictures between browsers on a real mesh: who sees one and who does not, over reloads, restores and lies.
import 'fake-indexeddb/auto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parse } from '../src/crypto/json.ts';
import { recover } from '../src/crypto/phrase.ts';
import { pictureHash, readPicture } from '../src/crypto/picture.ts';
import { createProfile } from '../src/crypto/profile.ts';
import { Verbatim } from '../src/nats/calls.ts';
import { PROFILE, PUT_PROFILE } from '../src/nats/contract.ts';
import { Browsers, live, PASSPHRASE, PATIENCE } from './browsers.ts';
import { Mesh, missingMesh } from './mesh.ts';
import { Stranger } from './stranger.ts';
import type { Tab } from './tab.ts';

const missing = missingMesh();
if (missing) console.warn(`skipped: ${missing}`);

/** A WebP as far as its header goes: 256 pixels each way, and a byte that tells one from another. */
function portrait(mark: number): Blob {
  const bytes = new Uint8Array(48).fill(mark);
  bytes.set(new TextEncoder().encode('RIFF....WEBPVP8L....'));
  bytes.set([0x2f, 0xff, 0xc0, 0x3f, 0x00], 20);
  return new Blob([bytes]);
}

describe.skipIf(missing)('faces', () => {
  let mesh: Mesh;
  const browsers = new Browsers(() => mesh.origin);

  beforeAll(async () => {
    mesh = await Mesh.start();
  });
  afterEach(() => browsers.close());
  afterAll(() => mesh?.stop());

  const me = ({ kez }: Tab) => kez.account.current?.primary ?? '';

  async function write({ kez }: Tab, who: string, text: string): Promise<void> {
    await (await kez.chats.open(await kez.chats.begin(who))).send(text);
  }

  /** How somebody looks there, on a page that shows their name too: `picture`, `preview` or null. */
  const look = ({ kez }: Tab, primary: string) => {
    kez.people.of(primary);
    const face = kez.faces.of(primary);
    return face && (face.isPreview ? 'preview' : 'picture');
  };
  const expectLook = (tab: Tab, primary: string, kind: string | null) =>
    expect.poll(() => look(tab, primary), PATIENCE).toBe(kind);

  test('a picture reaches every contact, though the page that set it is gone, and disturbs nobody', async () => {
    const alice = await browsers.create('alice');
    const friends = [
      await browsers.create('bob'),
      await browsers.create('carol'),
      await browsers.create('dave'),
    ];
    const stranger = await browsers.create('erin');
    for (const handle of ['bob', 'carol', 'dave']) await write(alice, handle, `hello ${handle}`);
    for (const friend of friends) await expect.poll(() => friend.kez.chats.unread, PATIENCE).toBe(1);
    await alice.kez.profile.putPicture(portrait(1));
    expect(look(alice, me(alice))).toBe('picture');
    await alice.close();
    const again = await browsers.open('alice');
    await live(again);
    for (const friend of friends) await expectLook(friend, me(again), 'picture');
    for (const friend of friends) {
      expect(friend.kez.chats.list).toMatchObject([
        { unread: 1, preview: expect.stringMatching(/^hello/) as string },
      ]);
      expect(friend.kez.chats.refused).toEqual({});
    }
    await stranger.kez.chats.begin('alice');
    await expectLook(stranger, me(again), 'preview');

    // The next one reaches them, too; and the first message to somebody new brings it.
    await again.kez.account.unlock(PASSPHRASE);
    const before = friends.map(({ kez }) => kez.faces.of(me(again))?.url);
    await again.kez.profile.putPicture(portrait(2));
    for (const [at, friend] of friends.entries()) {
      await expect.poll(() => friend.kez.faces.of(me(again))?.url, PATIENCE).not.toBe(before[at]);
      await expectLook(friend, me(again), 'picture');
    }
    await write(again, 'erin', 'now you know me');
    await expectLook(stranger, me(again), 'picture');
    await again.kez.profile.removePicture();
    for (const one of [...friends, stranger]) await expectLook(one, me(again), null);
  });

  test('comes back in a blank browser, and from there reaches who is written to', async () => {
    const frank = await browsers.create('frank');
    const grace = await browsers.create('grace');
    await frank.kez.profile.putWords({ displayName: 'Frank', about: 'at sea' });
    await frank.kez.profile.putPicture(portrait(3));
    await frank.kez.profile.showPreview(false);
    await frank.close();
    const second = await browsers.open('frank-elsewhere');
    await second.kez.account.restore({ secret: frank.words.join(' '), passphrase: PASSPHRASE });
    await live(second);
    await expectLook(second, me(second), 'picture');
    expect(second.kez.faces.mine?.preview).toBeUndefined();
    expect(second.kez.people.of(me(second))).toMatchObject({ displayName: 'Frank', about: 'at sea' });
    await grace.kez.chats.begin('frank');
    expect(look(grace, me(second))).toBeNull();
    await write(second, 'grace', 'hello');
    await expectLook(grace, me(second), 'picture');
    // What is not changed stays: a name put here keeps the picture, and the choice of what strangers see.
    await second.kez.profile.putWords({ displayName: 'Frank II', about: '' });
    await expect.poll(() => grace.kez.people.name(me(second)), PATIENCE).toBe('Frank II');
    expect(look(grace, me(second))).toBe('picture');
    expect(second.kez.faces.mine?.preview).toBeUndefined();
  });

  test('keys from others and profiles of yesterday change nothing', async () => {
    const heidi = await browsers.create('heidi');
    const ivan = await browsers.create('ivan');
    const mallory = await new Stranger(mesh.origin).register('mallory', mesh.server);
    await heidi.kez.profile.putPicture(portrait(4));
    await ivan.kez.chats.begin('heidi');
    await expectLook(ivan, me(heidi), 'preview');

    const { envelope } = await ivan.kez.connection.calls.call(PROFILE, { handle: 'heidi' });
    const payload = (envelope as { payload: { picture: unknown; updated_at: string } }).payload;
    const hash = pictureHash(readPicture(parse(JSON.stringify(payload.picture))).ct);
    const id = (number: number) => number.toString(16).padStart(32, '0');
    const key = new Uint8Array(32).fill(9);
    const bodies = [
      { kind: 'picture_key', key, picture: hash },
      { kind: 'unknown', value: { kind: 'picture_key', key: 'no', picture: hash } },
      { kind: 'text', text: 'the last one' },
    ] as const;
    for (const [at, body] of bodies.entries()) {
      await mallory.post('ivan', await mallory.seal({ to: me(ivan), id: id(at), body }));
    }
    await expect
      .poll(() => ivan.kez.chats.list, PATIENCE)
      .toMatchObject([{ preview: 'the last one', unread: 1 }]);
    expect([look(ivan, me(heidi)), ivan.kez.chats.refused]).toEqual(['preview', { malformed: 1 }]);

    const { key: identity } = recover(heidi.words.join(' '));
    const updatedAt = Date.parse(payload.updated_at) / 1000 - 3600;
    const older = new Verbatim(await createProfile({ displayName: 'yesterday', updatedAt }, identity));
    const put = heidi.kez.connection.calls.call(PUT_PROFILE, { envelope: older });
    await expect(put).rejects.toMatchObject({ code: 'outdated' });
    await heidi.kez.account.lock();
    expect([look(heidi, me(heidi)), heidi.kez.faces.mine]).toEqual([null, null]);
    await expect(heidi.kez.profile.putPicture(portrait(5))).rejects.toMatchObject({ code: 'locked' });
  });
});
