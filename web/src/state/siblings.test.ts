// Copies for my other devices: made of everything, also of what is sent before the sigchain says whether there are any.
import 'fake-indexeddb/auto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Subscription } from '@nats-io/nats-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { toLines } from '../crypto/bundle.ts';
import { Chain } from '../crypto/chain.ts';
import { DeviceKey, type Ed25519Signer } from '../crypto/keys.ts';
import { deviceProof } from '../crypto/op.ts';
import { open, parseSealed } from '../crypto/sealed.ts';
import { Http } from '../nats/http.ts';
import type { KeptMessage } from '../storage/kept.ts';
import { tasks } from '../workers/tasks.ts';
import { Chains } from './chains.svelte.ts';
import { Clock } from './clock.svelte.ts';
import { Connection } from './connection.svelte.ts';
import { NOW, receiving, someone } from './receiving.ts';
import { Siblings } from './siblings.ts';

const [me, bob, phone] = [someone(1), someone(2), someone(3)];
const message: KeptMessage = {
  id: '1'.repeat(32),
  peer: bob.primary,
  place: 0,
  isMine: true,
  at: NOW * 1000,
  text: 'hello',
  status: 'sent',
};

let server: Server;
/** How the sigchain service answers. */
let answer: (response: ServerResponse, since: number) => unknown;

beforeAll(async () => {
  server = createServer(({ url = '' }, response) => {
    answer(response, Number(new URL(url, 'http://x').searchParams.get('since')));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
});
afterAll(() => server.close());
beforeEach(() => {
  answer = away;
});

const away = (response: ServerResponse) => response.writeHead(503).end();

/** A chain with these devices. */
async function shows(...devices: readonly Ed25519Signer[]): Promise<typeof answer> {
  const chain = new Chain(me.primary);
  const events: string[] = [];
  for (const device of devices) {
    const proof = await deviceProof(me.primary, device);
    const op = { op: 'add_device', device: device.primary, name: '', proof } as const;
    const event = await chain.signNext(op, NOW, me);
    await chain.append(event);
    events.push(event);
  }
  return (response, since) =>
    response.writeHead(200, { etag: `"${chain.head}"` }).end(toLines(events.slice(since)));
}

/** A browser with a device of its own that has sent a message, and what it is about to tell my others. */
async function browser() {
  const { account, mailroom } = await receiving(me);
  const pair = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
  account.device = await DeviceKey.fromPair(pair as CryptoKeyPair);
  const clock = new Clock();
  const http = new Http(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const chains = new Chains(new Connection(http, clock), http, tasks, clock);
  chains.unlocked(account);
  await mailroom.change(async () => ({ add: [message] }));
  const page = () => {
    const siblings = new Siblings(mailroom, chains);
    const client = { subscribe: () => ({}) as Subscription, isClosed: () => false };
    return { siblings, follow: () => siblings.follow(client) };
  };
  const { siblings, follow } = page();
  return {
    account,
    chains,
    siblings,
    follow,
    mine: account.device,
    reopened: page,
    /** As the outbox does it. */
    settle: () =>
      mailroom.change(async () => {
        const copy = await siblings.copy(message);
        return copy && { send: [copy] };
      }),
    async copies() {
      const waiting = await account.mailbox.outbox();
      const bodies = waiting.map(async ({ sealed }) => (await open(parseSealed(sealed), me, NOW)).body);
      return Promise.all(bodies);
    },
  };
}

const copy = { kind: 'text', text: 'hello', copyOf: { to: bob.primary, id: message.id } };

test('what is sent while the sigchain is being read is copied when it has been', async () => {
  const { account, follow, settle, copies, siblings, mine } = await browser();
  const held: ServerResponse[] = [];
  answer = (response) => held.push(response);
  follow();
  await expect.poll(() => held.length).toBe(1);
  await settle();
  expect(await copies()).toEqual([]);
  answer = await shows(mine, phone);
  for (const response of held) answer(response, 0);
  await expect.poll(copies).toEqual([copy]);
  expect(await account.mailbox.note('uncopied')).toBeUndefined();
  await siblings.close();
});

test('and by another page, where this one is closed before', async () => {
  const { follow, settle, copies, siblings, mine, reopened } = await browser();
  follow();
  await settle();
  await siblings.close();
  answer = await shows(mine, phone);
  const again = reopened();
  again.follow();
  await expect.poll(copies).toEqual([copy]);
  await again.siblings.close();
});

test('while the sigchain service is away, what was known of it holds', async () => {
  const { chains, follow, settle, copies, siblings, mine } = await browser();
  answer = await shows(mine, phone);
  await chains.read(me.primary);
  answer = away;
  follow();
  await settle();
  expect(await copies()).toEqual([copy]);
  await siblings.close();
});

test('a device that was added while nobody followed gets copies as soon as that is seen', async () => {
  const { chains, follow, settle, copies, siblings, mine } = await browser();
  answer = await shows(mine);
  await chains.read(me.primary);
  answer = away;
  follow();
  await settle();
  expect(await copies()).toEqual([]);
  answer = await shows(mine, phone);
  await expect.poll(copies).toEqual([copy]);
  await siblings.close();
});

test('who has one device makes no copies, and keeps no list of what could be copied', async () => {
  const { follow, settle, copies, siblings, mine, account } = await browser();
  follow();
  await settle();
  expect(await account.mailbox.note('uncopied')).toEqual([message.id]);
  answer = await shows(mine);
  await expect.poll(() => account.mailbox.note('uncopied')).toBeUndefined();
  await settle();
  expect([await copies(), await account.mailbox.note('uncopied')]).toEqual([[], undefined]);
  await siblings.close();
});
