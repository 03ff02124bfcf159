// Sigchains read from a server that may lie: what was seen before is remembered, and another history is noticed.
import 'fake-indexeddb/auto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { toLines } from '../crypto/bundle.ts';
import { utf8 } from '../crypto/bytes.ts';
import { addOp, Chain, revokeOp } from '../crypto/chain.ts';
import { SecretKey } from '../crypto/keys.ts';
import { deviceProof, type Op } from '../crypto/op.ts';
import { Calls } from '../nats/calls.ts';
import { Http } from '../nats/http.ts';
import { dataKeys } from '../storage/box.ts';
import { openDatabase } from '../storage/database.ts';
import { Mailbox } from '../storage/mailbox.ts';
import { tasks } from '../workers/tasks.ts';
import { Chains } from './chains.svelte.ts';
import { Clock } from './clock.svelte.ts';
import { Connection } from './connection.svelte.ts';
import { Tabs } from './tabs.ts';
import { Unlocked } from './unlocked.ts';

const alice = SecretKey.fromSeed(new Uint8Array(32).fill(1));
const laptop = SecretKey.fromSeed(new Uint8Array(32).fill(2));
const NOW = 1_800_000_000;

/** What the server shows: the events of whoever is asked for. */
let shown: { events: string[]; head: string | undefined } = { events: [], head: undefined };
let server: Server;
let origin = '';
let count = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    const since = Number(new URL(request.url ?? '', 'http://x').searchParams.get('since'));
    const { events, head } = shown;
    if (!head) return response.writeHead(404).end('{"code":"not_found","detail":""}');
    return response.writeHead(200, { etag: `"${head}"` }).end(toLines(events.slice(since)));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());
beforeEach(() => {
  shown = { events: [], head: undefined };
});

async function chainOf(...ops: Op[]): Promise<typeof shown> {
  const chain = new Chain(alice.primary);
  const events: string[] = [];
  for (const op of ops) {
    const event = await chain.signNext(op, NOW, alice);
    await chain.append(event);
    events.push(event);
  }
  return { events, head: chain.head };
}

/** A reader with a memory of its own, and as many looks as are taken at it. */
async function reader(from = origin, live?: Pick<Connection, 'isLive' | 'calls'>) {
  return (await readerOf(from, live)).chains;
}

async function readerOf(from = origin, live?: Pick<Connection, 'isLive' | 'calls'>) {
  const database = await openDatabase({ outdated: () => undefined }, `chains-${count++}`);
  const mailbox = new Mailbox(database, 'me', await dataKeys(new Uint8Array(32)));
  const [clock, http] = [new Clock(), new Http(from)];
  const tabs = new Tabs<never>(`chains-${count}`, () => undefined);
  const chains = new Chains(live ?? new Connection(http, clock), http, tasks, clock);
  const given = { primary: alice.primary, handle: 'alice', server: 'kez.test', opener: alice, mailbox, tabs };
  chains.unlocked(new Unlocked(given));
  const other = new Mailbox(database, 'other', await dataKeys(new Uint8Array(32).fill(1)));
  return { chains, mailbox, other, switched: () => new Unlocked({ ...given, mailbox: other }) };
}

test('a chain is verified, and what it has come to is told', async () => {
  const chains = await reader();
  expect(await chains.read(alice.primary)).toMatchObject({ length: 0, head: null, fault: null });
  const device = {
    op: 'add_device',
    device: laptop.primary,
    name: 'laptop',
    proof: await deviceProof(alice.primary, laptop),
  };
  shown = await chainOf(addOp('github:a'), device as Op, addOp('dns:a.example'), revokeOp('github:a'));
  expect(await chains.read(alice.primary)).toMatchObject({
    length: 4,
    head: shown.head,
    claims: [{ subject: 'dns:a.example', since: '2027-01-15T08:00:00Z' }],
    devices: [{ device: laptop.primary, name: 'laptop', isThis: false }],
    fault: null,
  });
  expect(await chains.vouch(alice.primary, laptop.primary)).toBe(true);
  expect(await chains.vouch(alice.primary, alice.primary)).toBe(false);
});

test('devices are remembered as they were read last, whatever the server shows now', async () => {
  const chains = await reader();
  expect(await chains.remembered(alice.primary)).toEqual([]);
  const proof = await deviceProof(alice.primary, laptop);
  shown = await chainOf({ op: 'add_device', device: laptop.primary, name: 'laptop', proof });
  expect(await chains.remembered(alice.primary)).toEqual([]);
  await chains.read(alice.primary);
  shown = { events: [], head: undefined };
  expect(await chains.remembered(alice.primary)).toEqual([laptop.primary]);
});

test('events that were seen and are gone are noticed', async () => {
  const chains = await reader();
  const whole = await chainOf(addOp('github:a'), addOp('github:b'));
  shown = whole;
  expect((await chains.read(alice.primary)).fault).toBeNull();
  shown = { events: [], head: undefined };
  const withheld = await chains.read(alice.primary);
  expect(withheld).toMatchObject({ length: 2, fault: { code: 'rolled_back', seq: 1 } });
  expect(await chains.vouch(alice.primary, laptop.primary)).toBe(false);
  shown = whole;
  expect((await chains.read(alice.primary)).fault).toBeNull();
});

test('another history is noticed, where it ends and where it goes on', async () => {
  const chains = await reader();
  shown = await chainOf(addOp('github:a'), addOp('github:b'));
  await chains.read(alice.primary);
  shown = await chainOf(addOp('github:a'), addOp('github:x'));
  expect((await chains.read(alice.primary)).fault).toEqual({ code: 'forked', seq: 1 });
  shown = await chainOf(addOp('github:a'), addOp('github:x'), addOp('github:y'));
  expect((await chains.read(alice.primary)).fault).toEqual({ code: 'forked', seq: 1 });
});

test('an event that breaks a rule is named, and those before it count', async () => {
  const chains = await reader();
  const { events, head } = await chainOf(addOp('github:a'), addOp('github:b'));
  shown = { events: [events[0] ?? '', (events[1] ?? '').replace('github:b', 'github:c')], head };
  expect(await chains.read(alice.primary)).toMatchObject({
    length: 1,
    fault: { code: 'bad_signature', seq: 1 },
  });
});

test('nobody vouches while the chain cannot be asked for', async () => {
  const chains = await reader();
  const elsewhere = await reader('http://127.0.0.1:1');
  await expect(elsewhere.vouch(alice.primary, laptop.primary)).rejects.toMatchObject({ code: 'unavailable' });
  expect(await chains.vouch(alice.primary, laptop.primary)).toBe(false);
});

test('what was followed of a long chain is kept when the rest cannot be had', async () => {
  const { events, head } = await chainOf(addOp('github:a'), addOp('github:b'), addOp('github:c'));
  const asked: number[] = [];
  /** A broker that answers one event at a time, and not every time. */
  const broker = {
    request: async (_: string, text: string) => {
      const { since } = JSON.parse(text) as { since: number };
      asked.push(since);
      if (asked.length === 2) throw new Error('no answer');
      const page = `{"events":[${events[since]}],"head":{"seq":2,"head":"${head}"},"more":${since < 2}}`;
      return { data: utf8(page) };
    },
  };
  const calls = new Calls(() => broker, 'aa', 'bb');
  const chains = await reader(origin, { isLive: true, calls });
  await expect(chains.vouch(alice.primary, laptop.primary)).rejects.toMatchObject({ code: 'unavailable' });
  expect(await chains.vouch(alice.primary, laptop.primary)).toBe(false);
  expect(asked).toEqual([0, 1, 1, 2]);
});

test('a name as long as an event is cut: it is only shown', async () => {
  const chains = await reader();
  const proof = await deviceProof(alice.primary, laptop);
  shown = await chainOf({ op: 'add_device', device: laptop.primary, name: 'n'.repeat(15_000), proof });
  const { devices, fault } = await chains.read(alice.primary);
  expect([devices[0]?.name.length, fault]).toEqual([200, null]);
  expect(await chains.vouch(alice.primary, laptop.primary)).toBe(true);
});

test('what comes when another account is open already is followed no further, and kept for neither', async () => {
  const extend = vi.spyOn(tasks, 'extend');
  const { chains, mailbox, other, switched } = await readerOf();
  shown = await chainOf(addOp('github:a'));
  const reading = chains.read(alice.primary);
  chains.locked();
  chains.unlocked(switched());
  await expect(reading).rejects.toMatchObject({ code: 'locked' });
  expect(extend).not.toHaveBeenCalled();
  extend.mockRestore();
  expect([(await mailbox.notes('chain:')).size, (await other.notes('chain:')).size]).toEqual([0, 0]);
  await chains.read(alice.primary);
  expect((await other.notes('chain:')).size).toBe(1);
});
