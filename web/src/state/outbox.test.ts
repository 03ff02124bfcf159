// What waits to be sent, and what becomes of it.
import 'fake-indexeddb/auto';
import { describe, expect, test } from 'vitest';
import { DeviceKey, type SecretKey } from '../crypto/keys.ts';
import type { Body } from '../crypto/message.ts';
import { open, parseSealed } from '../crypto/sealed.ts';
import type { KeptMessage, KeptOutgoing } from '../storage/kept.ts';
import { write } from './letters.ts';
import { Outbox, type OutboxTerms } from './outbox.ts';
import { NOW, receiving, someone } from './receiving.ts';
import { Refusal } from './refusal.ts';
import { emptyChat, withMessage } from './summary.ts';

const [me, bob] = [someone(1), someone(2)];
const ID = '1'.repeat(32);
const DAY = 24 * 60 * 60;
const hello = { kind: 'text', text: 'hello' } as const;

/** An account with an outbox, what has left it, and a way to let something wait in it. */
async function waiting(terms: Partial<OutboxTerms> = {}) {
  const { account, mailroom } = await receiving(me);
  const sent: KeptOutgoing[] = [];
  const outbox = new Outbox({
    mailroom,
    copy: async () => undefined,
    maySend: () => true,
    send: async (outgoing) => void sent.push(outgoing),
    now: () => NOW * 1000,
    ...terms,
  });
  return {
    account,
    outbox,
    sent,
    message: async () => (await account.mailbox.byIds([ID]))[0],
    /** Signed by whoever speaks for me now. */
    async write(body: Body, at = NOW * 1000, peer = bob.primary): Promise<KeptOutgoing> {
      const sealed = await write(account, { id: ID, peer, at, body });
      const kept: KeptMessage = {
        id: ID,
        peer,
        place: 0,
        isMine: true,
        at,
        text: 'hello',
        status: 'sending',
      };
      const shown = { add: [kept], chats: [withMessage(emptyChat(peer, at), kept)] };
      await mailroom.change(async () => ({ ...(sealed.kind === 'text' ? shown : {}), send: [sealed] }));
      return sealed;
    },
    async emptied(): Promise<void> {
      outbox.kick();
      await expect.poll(() => account.mailbox.outbox()).toEqual([]);
      outbox.stop();
    },
  };
}

test('a message that the server has is sent, also if no copy of it can be made', async () => {
  const { write, emptied, sent, message } = await waiting({
    copy: () => Promise.reject(new Refusal('too_large')),
  });
  await write(hello);
  await emptied();
  expect(await message()).toMatchObject({ status: 'sent' });
  expect(sent).toHaveLength(1);
});

describe('what has waited', () => {
  const opened = ({ sealed }: KeptOutgoing, by: SecretKey) => open(parseSealed(sealed), by, NOW);

  test('goes as it was sealed', async () => {
    const { write, emptied, sent, message } = await waiting();
    const { sealed } = await write(hello, (NOW - 4 * DAY) * 1000);
    await emptied();
    expect(sent).toMatchObject([{ sealed }]);
    expect(await message()).toMatchObject({ status: 'sent', at: (NOW - 4 * DAY) * 1000 });
  });

  test.each([
    ['too long', NOW - 8 * DAY],
    ['since a time that has not come yet', NOW + DAY],
  ])('%s is sealed anew under the same id', async (_, writtenAt) => {
    const { write, emptied, sent, message } = await waiting();
    await write(hello, writtenAt * 1000);
    await emptied();
    expect(await opened(sent[0] as KeptOutgoing, bob)).toMatchObject({ id: ID, sentAt: NOW, body: hello });
    expect(await message()).toMatchObject({ status: 'sent', at: NOW * 1000 });
  });

  test.each([
    ['signed by a device that I have no more', {}],
    ['kept by an early version, which does not say who signed', { signer: undefined }],
  ])('%s, is signed anew', async (_, early) => {
    const { account, write, emptied, sent } = await waiting();
    account.device = await deviceKey();
    const before = await write(hello, (NOW - DAY) * 1000);
    if ('signer' in early) {
      const { signer: _, ...rest } = before;
      const [{ place = 0 } = {}] = await account.mailbox.outbox();
      await account.mailbox.commit({ sent: [place], send: [rest] });
    } else account.device = await deviceKey();
    await emptied();
    const message = await opened(sent[0] as KeptOutgoing, bob);
    expect(message).toMatchObject({ id: ID, device: account.device.primary, sentAt: NOW - DAY, body: hello });
    expect(sent[0]?.sealed).not.toBe(before.sealed);
  });

  test('for my other devices is signed anew, too', async () => {
    const { account, write, emptied, sent } = await waiting();
    account.device = await deviceKey();
    const copyOf = { to: bob.primary, id: '2'.repeat(32) };
    await write({ ...hello, copyOf }, NOW * 1000, me.primary);
    account.device = await deviceKey();
    await emptied();
    const body = { ...hello, copyOf };
    expect(await opened(sent[0] as KeptOutgoing, me)).toMatchObject({ device: account.device.primary, body });
  });

  test('and says nothing any more is dropped', async () => {
    const { write, emptied, sent } = await waiting();
    await write({ kind: 'receipt', status: 'read', of: [ID] }, (NOW - 8 * DAY) * 1000);
    await emptied();
    expect(sent).toEqual([]);
  });
});

async function deviceKey(): Promise<DeviceKey> {
  const pair = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
  return DeviceKey.fromPair(pair as CryptoKeyPair);
}
