// What another of my devices sent, and receipts for it: whatever comes first, both count.
import 'fake-indexeddb/auto';
import { describe, expect, test, vi } from 'vitest';
import type { SecretKey } from '../crypto/keys.ts';
import type { ReceiptStatus } from '../crypto/message.ts';
import { parseEd25519 } from '../crypto/primary.ts';
import { tasks } from '../workers/tasks.ts';
import { NOW, receiving, someone, type Mail } from './receiving.ts';
import { codeOf, Refusal } from './refusal.ts';
import type { News } from './unlocked.ts';

const [me, bob, mallory] = [someone(1), someone(2), someone(3)];
const ID = '1'.repeat(32);

const copy: Mail = {
  from: me,
  body: { kind: 'text', text: 'from my other device', copyOf: { to: parseEd25519(bob.primary), id: ID } },
};

function receipt(status: ReceiptStatus, from = bob, of = [ID]): Mail {
  return { from, body: { kind: 'receipt', status, of } };
}

describe('what my other device sent', () => {
  test.each([
    ['copy, then receipts', [[copy], [receipt('delivered')], [receipt('read')]], 'read'],
    ['receipts, then the copy', [[receipt('delivered')], [receipt('read')], [copy]], 'read'],
    ['the copy between them', [[receipt('delivered')], [copy], [receipt('read')]], 'read'],
    ['a later receipt that says less', [[receipt('read')], [receipt('delivered')], [copy]], 'read'],
    ['all at once', [[receipt('delivered'), receipt('read'), copy]], 'read'],
    ['delivered alone', [[receipt('delivered')], [copy]], 'delivered'],
    ['a receipt of somebody else', [[receipt('read', mallory)], [copy]], 'sent'],
  ] satisfies [string, Mail[][], string][])('%s', async (_, deliveries, status) => {
    const { account, receive } = await receiving(me);
    for (const mail of deliveries) await receive(...mail);
    expect(await account.mailbox.byIds([ID])).toMatchObject([{ peer: bob.primary, isMine: true, status }]);
    expect(await account.mailbox.chats()).toMatchObject([{ lastStatus: status, unread: 0 }]);
  });

  test('a receipt is used once', async () => {
    const { account, receive } = await receiving(me);
    await receive(receipt('read'));
    const notes = () => account.mailbox.notes('early-receipts:');
    expect((await notes()).size).toBe(1);
    await receive(copy);
    expect((await notes()).size).toBe(0);
  });

  test('receipts for nothing are few, however many come', async () => {
    const { account, receive } = await receiving(me);
    const ids = Array.from({ length: 500 }, (_, at) => at.toString(16).padStart(32, '0'));
    await receive(receipt('read', mallory, ids));
    await receive(receipt('read', bob));
    const kept = [...(await account.mailbox.notes('early-receipts:')).values()] as [string, string][][];
    expect(kept.map(({ length }) => length).toSorted((one, other) => one - other)).toEqual([1, 200]);
    await receive(copy);
    expect(await account.mailbox.byIds([ID])).toMatchObject([{ status: 'read' }]);
  });
});

describe('a sigchain that cannot be followed', () => {
  const laptop = someone(4);
  const doubtful: Mail = { from: mallory, signer: laptop, body: { kind: 'text', text: 'whose device?' } };
  const honest: Mail = { from: bob, body: { kind: 'text', text: 'hello' } };

  /** Takes what has come until it is taken, as the feed does; how often it was offered. */
  async function offered(
    code: string,
    times: number,
    before: readonly Mail[] = [],
  ): Promise<{ tries: number; texts: string[] }> {
    const vouch = async () => Promise.reject(new Refusal(code));
    const { account, receive, again } = await receiving(me, undefined, vouch);
    let tries = 1;
    const failed = async (error: unknown): Promise<void> => {
      expect(codeOf(error)).toBe(code);
      if (tries === times) return;
      tries++;
      await again().catch(failed);
    };
    await receive(...before, doubtful, honest).catch(failed);
    return { tries, texts: (await account.mailbox.chats()).map(({ preview }) => preview) };
  }

  test('costs its owner a message, and nobody else', async () => {
    expect(await offered('internal', 10)).toEqual({ tries: 4, texts: ['hello'] });
  });

  test('costs no more behind hundreds of other messages', async () => {
    const before = Array.from({ length: 220 }, (): Mail => ({
      ...honest,
      body: { kind: 'text', text: 'before' },
    }));
    expect(await offered('internal', 10, before)).toEqual({ tries: 4, texts: ['hello'] });
  });

  test.each(['unavailable', 'locked', 'storage_full'])('is waited for if %s', async (code) => {
    expect(await offered(code, 10)).toEqual({ tries: 10, texts: [] });
  });
});

describe('when the account is locked', () => {
  const text = (signer = bob): Mail => ({ from: bob, signer, body: { kind: 'text', text: 'hello' } });

  test('the batches that follow are neither opened nor kept', async () => {
    const open = vi.spyOn(tasks, 'open');
    const { account, receive, stop } = await receiving(me, (news) => news.kind === 'mail' && void stop());
    const taken = receive(...Array.from({ length: 250 }, () => text()));
    await expect(taken).rejects.toMatchObject({ code: 'locked' });
    expect([open.mock.calls.length, await account.mailbox.count()]).toEqual([1, 100]);
    expect(await account.mailbox.note('cursor')).toBe(100);
    open.mockRestore();
  });

  test('nobody is asked about the devices of what was being opened', async () => {
    const vouch = vi.fn(async () => true);
    const { account, receive, stop } = await receiving(me, undefined, vouch);
    const open = vi.spyOn(tasks, 'open').mockImplementationOnce(async (...given) => {
      open.mockRestore();
      const opened = await tasks.open(...given);
      void stop();
      return opened;
    });
    await expect(receive(text(someone(4)))).rejects.toMatchObject({ code: 'locked' });
    expect([vouch.mock.calls.length, await account.mailbox.note('cursor')]).toEqual([0, undefined]);
  });

  // A look at a sigchain that the lock has cut off fails like one that nothing comes of: judged by it, mail would be lost.
  test.each([
    ['says yes', async () => true],
    ['fails', async () => Promise.reject(new Refusal('internal'))],
  ])('what is still said of a sigchain counts for nothing: it %s', async (_, answer) => {
    let isLocking = false;
    const vouch = async () => {
      if (isLocking) void mail.stop();
      return isLocking ? answer() : Promise.reject(new Refusal('internal'));
    };
    const mail = await receiving(me, undefined, vouch);
    await expect(mail.receive(text(someone(4)))).rejects.toMatchObject({ code: 'internal' });
    for (let tries = 1; tries < 3; tries++)
      await expect(mail.again()).rejects.toMatchObject({ code: 'internal' });
    isLocking = true;
    await expect(mail.again()).rejects.toMatchObject({ code: 'locked' });
    const { mailbox } = mail.account;
    expect([await mailbox.count(), await mailbox.note('cursor'), await mailbox.note('refused')]).toEqual([
      0,
      undefined,
      undefined,
    ]);
  });
});

test('a clock that is behind loses no mail, and what is dated ahead of its receipt is refused', async () => {
  const heard: News[] = [];
  const { account, receive } = await receiving(me, (news) => heard.push(news));
  const text = (from: SecretKey, text: string): Mail => ({ from, body: { kind: 'text', text } });
  await receive({ ...text(bob, 'an hour from now'), sentAt: NOW + 3600, receivedAt: NOW + 3600 });
  await receive({ ...text(mallory, 'from the future'), sentAt: NOW + 10_000, receivedAt: NOW + 3600 });
  expect(await account.mailbox.chats()).toMatchObject([{ peer: bob.primary, preview: 'an hour from now' }]);
  expect(heard.at(-1)).toEqual({ kind: 'refused', counts: { stale: 1 } });
  expect(await account.mailbox.note('cursor')).toBe(2);
});

test('of a receipt only the first five hundred ids count, and they are looked for together', async () => {
  const { account, receive } = await receiving(me);
  await receive(copy);
  const looked = vi.spyOn(account.mailbox, 'byIds');
  const others = Array.from({ length: 5_000 }, (_, at) => at.toString(16).padStart(32, '0'));
  await receive(receipt('read', bob, [...others.slice(0, 500), ID, ...others]));
  expect(await account.mailbox.byIds([ID])).toMatchObject([{ status: 'sent' }]);
  await receive(receipt('read', bob, [...others.slice(0, 499), ID]));
  expect(await account.mailbox.byIds([ID])).toMatchObject([{ status: 'read' }]);
  expect(looked.mock.calls.map(([ids]) => ids.length)).toEqual([500, 1, 500, 1]);
});
