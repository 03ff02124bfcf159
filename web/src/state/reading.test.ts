// What is read in one browser is read in the other: told by a receipt to oneself, which nobody else can write.
import 'fake-indexeddb/auto';
import { describe, expect, test } from 'vitest';
import type { ReceiptStatus } from '../crypto/message.ts';
import { parseEd25519 } from '../crypto/primary.ts';
import type { Change } from '../storage/kept.ts';
import { NOW, receiving, someone, type Mail } from './receiving.ts';
import { emptyChat } from './summary.ts';
import { Thread } from './thread.svelte.ts';
import type { News } from './unlocked.ts';

const [me, bob, mallory, device] = [someone(1), someone(2), someone(3), someone(4)];

function idOf(count: number): string {
  return count.toString(16).padStart(32, '0');
}

function text(count: number, from = bob): Mail {
  return { from, id: idOf(count), body: { kind: 'text', text: `message ${count}` } };
}

function receipt(of: readonly number[], from = me, status: ReceiptStatus = 'read'): Mail {
  return { from, body: { kind: 'receipt', status, of: of.map(idOf) } };
}

type Receiving = Awaited<ReturnType<typeof receiving>>;

function thread(
  { mailroom }: Receiving,
  { readReceipts = true, siblings = true, peer = bob.primary as string } = {},
): Thread {
  return new Thread(peer, {
    mailroom,
    keepDraft: () => undefined,
    readReceipts: () => readReceipts,
    hasSiblings: async () => siblings,
    now: () => NOW * 1000,
    wrote: () => undefined,
  });
}

async function read(browser: Receiving, given: Parameters<typeof thread>[1] = {}): Promise<void> {
  const opened = thread(browser, given);
  await opened.load('');
  await opened.markRead();
}

const unread = async ({ account }: Receiving) =>
  Object.fromEntries((await account.mailbox.chats()).map(({ peer, unread }) => [peer, unread]));

/** So many messages of Bob's, as they would be here had they come. */
function filled(count: number): Change {
  const at = NOW * 1000;
  const add = Array.from({ length: count }, (_, index) => {
    const id = idOf(index + 1);
    return { id, peer: bob.primary, place: 0, isMine: false, at, text: 'one of many', status: null };
  });
  return { add, chats: [{ ...emptyChat(bob.primary, at), unread: count }] };
}

/** What waits to be sent to somebody. */
const sealedFor = async ({ account }: Receiving, peer: string) =>
  (await account.mailbox.outbox()).filter((one) => one.peer === peer).map(({ sealed }) => sealed);

describe('what another of my devices has read', () => {
  test.each([
    ['one message', [[text(1)], [receipt([1])]], 0],
    ['all that there are', [[text(1), text(2)], [receipt([1, 2])]], 0],
    ['not what came later', [[text(1), text(2), text(3)], [receipt([1, 2])]], 1],
    ['and what lies before it', [[text(1), text(2), text(3)], [receipt([2])]], 1],
    ['and never less than before', [[text(1), text(2)], [receipt([2])], [receipt([1])]], 0],
    ['what comes with the receipt', [[text(1), receipt([1])]], 0],
    ['of what comes with it only what it names', [[text(1), text(2), receipt([1]), text(3)]], 2],
    [
      'behind what was here',
      [
        [text(1), text(2)],
        [text(3), receipt([2, 3]), text(4)],
      ],
      1,
    ],
    ['said in two receipts', [[text(1), receipt([1]), text(2), receipt([2])]], 0],
    ['said again', [[text(1)], [receipt([1])], [receipt([1])], [text(2)], [receipt([1])]], 1],
    ['that it has come', [[text(1)], [receipt([1], me, 'delivered')]], 1],
    ['of which I know nothing', [[text(1)], [receipt([7, 8])]], 1],
  ] satisfies [string, Mail[][], number][])('%s', async (_, deliveries, count) => {
    const here = await receiving(me);
    for (const mail of deliveries) await here.receive(...mail);
    expect(await unread(here)).toEqual({ [bob.primary]: count });
    const opened = thread(here);
    await opened.load('');
    expect(opened.unread).toBe(count);
    const divider = opened.messages.find(({ id }) => id === opened.firstUnread);
    expect(divider ? opened.messages.length - opened.messages.indexOf(divider) : 0).toBe(count);
  });

  test('is told to the list and to an open chat, whose divider stays', async () => {
    const heard: News[] = [];
    const here = await receiving(me, (news) => heard.push(news));
    await here.receive(text(1), text(2), text(3, mallory));
    const opened = thread(here);
    await opened.load('');
    heard.length = 0;
    await here.receive(receipt([1, 2]));
    expect(heard).toMatchObject([
      { kind: 'mail', messages: [], chats: [{ peer: bob.primary, unread: 0, readPlace: 2 }] },
    ]);
    for (const news of heard) opened.hear(news);
    expect(opened.unread).toBe(0);
    expect(opened.firstUnread).toBe(idOf(1));
    expect(await unread(here)).toEqual({ [bob.primary]: 0, [mallory.primary]: 1 });
  });

  test('is told to nobody again', async () => {
    const here = await receiving(me);
    await here.receive(text(1));
    await here.receive(receipt([1]));
    const waiting = (await here.account.mailbox.outbox()).length;
    await read(here);
    expect(await here.account.mailbox.outbox()).toHaveLength(waiting);
    expect(await sealedFor(here, me.primary)).toEqual([]);
  });

  test('leaves nothing behind, if it is not here', async () => {
    const here = await receiving(me);
    await here.receive(receipt([1, 2]));
    expect(await here.account.mailbox.chats()).toEqual([]);
    expect((await here.account.mailbox.notes('early-receipts:')).size).toBe(0);
  });

  test.each([
    ['whoever wrote it', [receipt([1], bob)]],
    ['a stranger', [receipt([1], mallory)]],
    ['a key that says that it is a device of mine', [{ ...receipt([1]), signer: mallory }]],
    ['a device of mine, in the name of somebody else', [{ ...receipt([1], bob), signer: device }]],
  ] satisfies [string, Mail[]][])('is not for %s to say', async (_, forged) => {
    const vouch = async (of: string, by: string) => of === me.primary && by === device.primary;
    const here = await receiving(me, undefined, vouch);
    await here.receive(text(1));
    await here.receive(...forged);
    expect(await unread(here)).toEqual({ [bob.primary]: 1 });
    await here.receive({ ...receipt([1]), signer: device });
    expect(await unread(here)).toEqual({ [bob.primary]: 0 });
  });

  test('moves no tick of what I wrote', async () => {
    const here = await receiving(me);
    const copyOf = { to: parseEd25519(bob.primary), id: idOf(1) };
    await here.receive({ from: me, body: { kind: 'text', text: 'mine', copyOf } });
    await here.receive(receipt([1]));
    expect(await here.account.mailbox.byIds([idOf(1)])).toMatchObject([{ status: 'sent' }]);
  });
});

describe('what I read', () => {
  test.each([
    ['is told to its author and to my other devices', {}, [1, 1]],
    ['is told to my devices alone, if I keep it to myself', { readReceipts: false }, [0, 1]],
    ['is told to its author alone, if I have no other device', { siblings: false }, [1, 0]],
    ['is told to nobody', { readReceipts: false, siblings: false }, [0, 0]],
  ])('%s', async (_, given, [toBob, toMe]) => {
    const here = await receiving(me);
    await here.receive(text(1), text(2));
    const delivered = (await sealedFor(here, bob.primary)).length;
    await read(here, given);
    expect((await sealedFor(here, bob.primary)).length - delivered).toBe(toBob);
    expect(await sealedFor(here, me.primary)).toHaveLength(toMe ?? 0);
    const outbox = await here.account.mailbox.outbox();
    expect(outbox.every(({ kind }) => kind === 'receipt')).toBe(true);
  });

  test('is read in the other browser, however much it is', async () => {
    const [here, there] = [await receiving(me), await receiving(me)];
    for (const one of [here, there]) await one.mailroom.change(async () => filled(501));
    await read(here, { readReceipts: false });
    const told = await sealedFor(here, me.primary);
    expect(told).toHaveLength(2);
    expect(await unread(there)).toEqual({ [bob.primary]: 501 });
    await there.take(...told);
    expect(await unread(there)).toEqual({ [bob.primary]: 0 });
    // The browser that has told it hears it, too.
    await here.take(...told);
    expect(await unread(here)).toEqual({ [bob.primary]: 0 });
  });

  test('is not what comes where something of mine was discarded', async () => {
    const here = await receiving(me);
    await here.receive(text(1));
    const failed = { id: idOf(9), peer: bob.primary, place: 0, isMine: true, at: 0, text: 'lost' } as const;
    await here.mailroom.change(async () => ({ add: [{ ...failed, status: 'failed' }] }));
    await read(here);
    await thread(here).discard(idOf(9));
    await here.receive(text(2));
    expect(await unread(here)).toEqual({ [bob.primary]: 1 });
    await read(here);
    expect(await sealedFor(here, me.primary)).toHaveLength(2);
  });
});
