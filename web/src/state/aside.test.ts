// Mail whose sender's sigchain takes long to follow: nobody waits for it, and it is not lost.
import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import { allAside } from './aside.ts';
import { receiving, someone, type Mail } from './receiving.ts';
import { Refusal } from './refusal.ts';
import type { News } from './unlocked.ts';

const [me, bob, mallory, laptop] = [someone(1), someone(2), someone(3), someone(4)];
const text = (from = bob, text = 'hello', signer = from): Mail => ({
  ...{ from, signer },
  body: { kind: 'text', text },
});

/** A browser in which looks at sigchains end so, one after the other; beyond them there is an answer. */
async function looking(...codes: string[]) {
  const heard: News[] = [];
  const vouch = async () => {
    const code = codes.shift();
    if (code) throw new Refusal(code);
    return true;
  };
  const { account, ...rest } = await receiving(me, (news) => heard.push(news), vouch);
  const previews = async () => (await account.mailbox.chats()).map(({ preview }) => preview).toSorted();
  return { ...rest, heard, previews, aside: async () => (await allAside(account.mailbox)).length };
}

test('others do not wait for it, and it comes when the chain was followed', async () => {
  const { receive, previews, aside } = await looking('long_chain', 'long_chain', 'long_chain');
  await receive(text(mallory, 'behind a long chain', laptop), text());
  expect(await previews()).toContain('hello');
  await expect.poll(previews).toEqual(['behind a long chain', 'hello']);
  expect(await aside()).toBe(0);
});

test('it is kept while the server cannot be asked, and other mail comes', async () => {
  const { receive, resume, previews, aside } = await looking('long_chain', 'unavailable');
  await receive(text(mallory, 'behind a long chain', laptop));
  await receive(text());
  expect([await previews(), await aside()]).toEqual([['hello'], 1]);
  resume();
  await expect.poll(previews).toEqual(['behind a long chain', 'hello']);
});

test('the disk is not filled with it', async () => {
  const { receive, aside, heard } = await looking(...Array<string>(60).fill('long_chain'), 'unavailable');
  await receive(...Array.from({ length: 60 }, (_, at) => text(mallory, `${at}`, laptop)));
  expect(heard).toContainEqual({ kind: 'refused', counts: { long_chain: 10 } });
  await expect.poll(aside).toBe(1);
});
