// Pictures between people: who is handed a key and when, which keys are believed, and what of it is left when it is locked.
import 'fake-indexeddb/auto';
import { resolveObjectURL } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../crypto/bytes.ts';
import { parse, type Json } from '../crypto/json.ts';
import type { SecretKey } from '../crypto/keys.ts';
import type { Body } from '../crypto/message.ts';
import { pictureHash, pictureValue, sealPicture } from '../crypto/picture.ts';
import { squarePng } from '../crypto/png.ts';
import { previewText } from '../crypto/preview.ts';
import { checkProfile, createProfile } from '../crypto/profile.ts';
import { seal } from '../crypto/sealed.ts';
import { Http } from '../nats/http.ts';
import type { KeptOutgoing, KeptStatus } from '../storage/kept.ts';
import type { Mailbox } from '../storage/mailbox.ts';
import { tasks } from '../workers/tasks.ts';
import { Clock } from './clock.svelte.ts';
import { Connection } from './connection.svelte.ts';
import { Faces } from './faces.svelte.ts';
import { Handing } from './handing.ts';
import { REFUSED } from './incoming.ts';
import { newId, stillGood, write } from './letters.ts';
import { People } from './people.svelte.ts';
import { keptKeys, pictureNote } from './picture-notes.ts';
import { NOW, receiving, someone } from './receiving.ts';
import { emptyChat, withMessage } from './summary.ts';

const A_DAY = 24 * 60 * 60 * 1000;
const [alice, bob, carol, dave, mallory] = [1, 2, 3, 4, 5].map(someone) as [
  SecretKey,
  SecretKey,
  SecretKey,
  SecretKey,
  SecretKey,
];

/** A lossless WebP, as far as its header goes: nothing here decodes one. */
function webp(width = 256, height = 256): Bytes {
  const bytes = new Uint8Array(48).fill(7);
  bytes.set(new TextEncoder().encode('RIFF....WEBPVP8L....'));
  const view = new DataView(bytes.buffer);
  view.setUint8(20, 0x2f);
  view.setUint32(21, (width - 1) | ((height - 1) << 14), true);
  return bytes;
}

/** A picture as it stands in a profile, and the message body that hands its key over. */
async function picture(
  owner: SecretKey,
  image = webp(),
): Promise<{ value: Json; body: Body & { kind: 'picture_key' } }> {
  const [key, nonce] = [
    crypto.getRandomValues(new Uint8Array(32)),
    crypto.getRandomValues(new Uint8Array(12)),
  ];
  const ct = await sealPicture(image, owner.primary, { key, nonce });
  const body = { kind: 'picture_key', key, picture: pictureHash(ct) } as const;
  const { primary } = owner;
  const message = { id: newId(), primary, device: undefined, to: primary, sentAt: NOW, body };
  const own = await seal(message, owner, crypto.getRandomValues(new Uint8Array(32)));
  const preview = previewText(squarePng(new Uint8Array(64 * 64 * 3), 64), new Uint8Array(16));
  return { value: pictureValue({ type: 'image/webp', nonce, ct, own, preview }), body };
}

/** Somebody's browser, unlocked. */
async function browser(me: SecretKey) {
  const faces = new Faces();
  const { account, mailroom, receive } = await receiving(me, (news) => faces.hear(news));
  await faces.unlocked(account);
  return {
    account,
    faces,
    mailroom,
    /** A profile of somebody has come. */
    async learn(who: SecretKey, value: Json | undefined) {
      await account.mailbox.commit({ notes: { [await pictureNote(account.mailbox, who.primary)]: value } });
      await faces.refresh(who.primary);
    },
    /** Somebody has sent this. */
    async receive(from: SecretKey, body: Body, signer = from) {
      await receive({ from, body, signer });
      await faces.refresh(from.primary);
    },
  };
}

/** A chat in which the last message is this. */
async function chatWith(
  mailbox: Mailbox,
  { primary: peer }: SecretKey,
  status: KeptStatus | null,
): Promise<void> {
  const message = { id: newId(), peer, place: 0, isMine: status !== null, at: NOW, text: 'hi', status };
  await mailbox.commit({ add: [message], chats: [withMessage(emptyChat(peer, NOW), message)] });
}

describe('keys that come', () => {
  test('open the picture of their sender, and are no message', async () => {
    const { account, faces, learn, receive } = await browser(alice);
    const { value, body } = await picture(bob);
    await receive(bob, body);
    expect([await account.mailbox.chats(), await account.mailbox.count()]).toEqual([[], 0]);
    expect(await account.mailbox.outbox()).toEqual([]);
    await learn(bob, value);
    const face = faces.of(bob.primary);
    expect(face).toMatchObject({ url: expect.stringMatching(/^blob:/) as string, isPreview: false });
    expect(new Uint8Array((await resolveObjectURL(face?.url ?? '')?.arrayBuffer()) ?? [])).toEqual(webp());

    faces.locked();
    expect([resolveObjectURL(face?.url ?? ''), faces.of(bob.primary)]).toEqual([undefined, null]);
  });

  test('of somebody else, for another picture or from nobody’s device do nothing', async () => {
    const { account, faces, learn, receive } = await browser(alice);
    const { value, body } = await picture(bob);
    await learn(bob, value);
    const preview = faces.of(bob.primary);
    expect(preview).toMatchObject({
      isPreview: true,
      url: expect.stringMatching(/^data:image\/png;/) as string,
    });
    const unknown = { kind: 'picture_key', key: 'AA', picture: body.picture };
    const lies: [SecretKey, Body, SecretKey?][] = [
      [mallory, body],
      [bob, { ...body, picture: 'ab'.repeat(32) }],
      [bob, { ...body, key: new Uint8Array(32) }],
      [bob, body, mallory],
      [bob, { kind: 'unknown', value: unknown }],
    ];
    for (const lie of lies) {
      await receive(...lie);
      expect(faces.of(bob.primary)).toEqual(preview);
    }
    expect(await account.mailbox.note(REFUSED)).toEqual({ unknown_device: 1, malformed: 1 });
    expect([await account.mailbox.chats(), await account.mailbox.outbox()]).toEqual([[], []]);
    await receive(bob, body);
    expect(faces.of(bob.primary)?.isPreview).toBe(false);
  });

  test('are few, however many come', async () => {
    const { account, receive } = await browser(alice);
    for (let number = 10; number < 20; number++) {
      await receive(bob, { kind: 'picture_key', key: new Uint8Array(32), picture: `${number}`.repeat(32) });
    }
    const kept = await keptKeys(account.mailbox, bob.primary);
    expect(kept.map(({ picture }) => picture.slice(0, 2))).toEqual(['19', '18', '17', '16']);
  });

  test.each([
    ['a wall of pixels', webp(16_384, 16_384)],
    ['another size', webp(256, 255)],
    ['something else', new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg"/>')],
    ['a PNG that says it is WebP', squarePng(new Uint8Array(256 * 64 * 3), 64)],
  ])('%s is shown to no decoder', async (_, image) => {
    const { faces, learn, receive } = await browser(alice);
    const { value, body } = await picture(bob, image);
    await receive(bob, body);
    await learn(bob, value);
    expect(faces.of(bob.primary)?.isPreview).toBe(true);
    await learn(bob, undefined);
    expect(faces.of(bob.primary)).toBeNull();
  });
});

describe('my own key', () => {
  async function withPicture(me = alice) {
    const here = await browser(me);
    const { value, body } = await picture(me);
    await here.learn(me, value);
    let now = NOW * 1000;
    const open = (pause: (signal: AbortSignal) => Promise<void> = async () => undefined) =>
      new Handing({ mailroom: here.mailroom, mine: () => here.faces.mine, now: () => now, pause });
    const outbox = async () =>
      (await here.account.mailbox.outbox()).map(({ kind, peer }) => `${kind} ${peer}`);
    const later = (time: number) => void (now += time);
    return { ...here, open, outbox, later, body };
  }
  const to = (...people: SecretKey[]) => people.map(({ primary }) => `picture_key ${primary}`);

  test('comes out of my own profile, and is good for nobody else’s', async () => {
    const { faces, learn, body } = await withPicture();
    expect(faces.mine).toMatchObject({ key: body.key, picture: body.picture });
    await learn(alice, (await picture(bob)).value);
    expect([faces.mine, faces.of(alice.primary)]).toMatchObject([null, { isPreview: true }]);
  });

  test('is handed to everybody I have written to, over as many pages as it takes', async () => {
    const { account, open, outbox, body } = await withPicture();
    const { mailbox } = account;
    await chatWith(mailbox, bob, 'sent');
    await chatWith(mailbox, carol, null);
    await chatWith(mailbox, dave, 'read');
    await chatWith(mailbox, mallory, 'failed');
    await chatWith(mailbox, alice, 'read');
    // The first page goes after one of them.
    const untilClosed = (signal: AbortSignal) =>
      new Promise<void>((goOn) => signal.addEventListener('abort', () => goOn()));
    const first = open(untilClosed);
    await first.begin(body.picture);
    await expect.poll(async () => (await outbox()).length).toBe(1);
    first.close();
    const second = open();
    const resumed = second.resume();
    await expect.poll(async () => (await outbox()).toSorted()).toEqual(to(bob, dave).toSorted());
    await resumed;
    await open().resume();
    expect((await outbox()).length).toBe(2);
  });

  test('goes with the first message, and again after a week; never twice at once', async () => {
    const { account, open, outbox, later } = await withPicture();
    const handing = open();
    handing.wrote(bob.primary);
    handing.wrote(bob.primary);
    handing.wrote(alice.primary);
    await expect.poll(outbox).toEqual(to(bob));
    later(6 * A_DAY);
    handing.wrote(bob.primary);
    open().wrote(bob.primary);
    handing.wrote(carol.primary);
    await expect.poll(outbox).toEqual(to(bob, carol));
    later(A_DAY);
    handing.wrote(bob.primary);
    // The one that still waited is taken back.
    await expect.poll(outbox).toEqual(to(carol, bob));
    const [sealed] = (await account.mailbox.outbox()).slice(-1);
    const [opened] = await tasks.open([parse(sealed?.sealed ?? '')], bob, NOW + 7 * 24 * 60 * 60);
    expect(opened).toMatchObject({ message: { primary: alice.primary, body: { kind: 'picture_key' } } });
  });
});

describe('a key of my picture that has waited', () => {
  async function waited(outgoing: { by?: SecretKey; at?: number }, hasPicture = true) {
    const { account, mailroom, learn } = await browser(alice);
    const { value, body } = await picture(alice);
    if (hasPicture) await learn(alice, value);
    const { by = alice, at = NOW * 1000 } = outgoing;
    const given = { id: newId(), peer: bob.primary, at, body };
    const written = { ...(await write(account, given)), signer: by.primary };
    await mailroom.change(async () => ({ send: [written] }));
    const [kept] = await account.mailbox.outbox();
    const sent = await stillGood(account, kept as KeptOutgoing, NOW * 1000);
    const [opened] = sent ? await tasks.open([parse(sent.sealed)], bob, NOW) : [];
    return { id: given.id, body, kept, sent, opened };
  }

  test.each([
    ['too long', { at: NOW * 1000 - 8 * A_DAY }],
    ['since it was signed by a device that I have no more', { by: dave }],
  ])('%s is sealed anew under the same id: its recipient counts as one who has it', async (_, outgoing) => {
    const { id, body, kept, sent, opened } = await waited(outgoing);
    expect(opened).toMatchObject({ message: { id, primary: alice.primary, sentAt: NOW, body } });
    expect(sent?.place).toBe(kept?.place);
    expect(sent?.sealed).not.toBe(kept?.sealed);
  });

  test('goes nowhere without a picture', async () => {
    expect((await waited({ at: NOW * 1000 - 8 * A_DAY }, false)).sent).toBeUndefined();
  });
});

test('an older profile is not believed, whoever shows it', async () => {
  const clock = new Clock();
  const http = new Http('http://127.0.0.1:1');
  const people = new People(new Connection(http, clock), http, clock);
  const { account } = await browser(alice);
  const told: unknown[] = [];
  await people.unlocked(account, (news) => told.push(news));
  const profile = async (displayName: string, updatedAt: number) =>
    checkProfile(await createProfile({ displayName, updatedAt }, bob), NOW);
  await people.learn(await profile('Bob', NOW));
  await people.learn(await profile('old Bob', NOW - 1));
  await people.learn(await profile('Bob of the same second', NOW));
  expect(people.name(bob.primary)).toBe('Bob');
  expect(told).toEqual([{ kind: 'face', primary: bob.primary }]);
  await people.learn(await profile('Robert', NOW + 1));
  expect(people.name(bob.primary)).toBe('Robert');
});
