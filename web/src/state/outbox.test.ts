// What waits to be sent, and what becomes of it.
import 'fake-indexeddb/auto';
import { describe, expect, test } from 'vitest';
import type { KeptMessage, KeptOutgoing } from '../storage/kept.ts';
import { write } from './letters.ts';
import { Outbox, type OutboxTerms } from './outbox.ts';
import { NOW, receiving, someone } from './receiving.ts';
import { Refusal } from './refusal.ts';
import { emptyChat, withMessage } from './summary.ts';

const [me, bob] = [someone(1), someone(2)];
const ID = '1'.repeat(32);

/** An account with a text to bob that waits, and what has left its outbox. */
async function waiting(terms: Partial<OutboxTerms> = {}) {
  const { account, mailroom } = await receiving(me);
  const sent: KeptOutgoing[] = [];
  const outbox = new Outbox({
    mailroom,
    copy: async () => undefined,
    maySend: () => true,
    send: async (outgoing) => void sent.push(outgoing),
    ...terms,
  });
  const at = NOW * 1000;
  const kept: KeptMessage = {
    ...{ id: ID, peer: bob.primary, place: 0, isMine: true, at },
    ...{ text: 'hello', status: 'sending' },
  };
  const body = { kind: 'text', text: 'hello' } as const;
  const sealed = await write(account, { id: ID, peer: bob.primary, at, body });
  await mailroom.change(async () => ({
    add: [kept],
    send: [sealed],
    chats: [withMessage(emptyChat(bob.primary, at), kept)],
  }));
  return { account, outbox, sent, message: async () => (await account.mailbox.byIds([ID]))[0] };
}

describe('a message that the server has', () => {
  test('is sent, also if no copy of it can be made', async () => {
    const { account, outbox, sent, message } = await waiting({
      copy: () => Promise.reject(new Refusal('too_large')),
    });
    outbox.kick();
    await expect.poll(message).toMatchObject({ status: 'sent' });
    expect(await account.mailbox.outbox()).toEqual([]);
    expect(sent).toHaveLength(1);
    outbox.stop();
  });
});
