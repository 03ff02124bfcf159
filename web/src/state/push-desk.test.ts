// What a hidden page tells of mail, and what it leaves for the service worker: nothing once the account is locked.
import 'fake-indexeddb/auto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { Http } from '../nats/http.ts';
import { Wakes, type WakeRecord } from '../storage/wakes.ts';
import type { ToWorker } from '../worker-push/talk.ts';
import { Chats } from './chats.svelte.ts';
import { Clock } from './clock.svelte.ts';
import { Connection } from './connection.svelte.ts';
import { People } from './people.svelte.ts';
import { PushDesk } from './push-desk.ts';
import { NOW, receiving, someone } from './receiving.ts';
import { Settings } from './settings.svelte.ts';
import type { News } from './unlocked.ts';

const [me, bob, other] = [someone(1), someone(2), someone(3)];
let server: Server | undefined;
let count = 0;

afterEach(() => {
  server?.close();
  vi.unstubAllGlobals();
});

/** A page that nobody looks at, with notifications on, whose server answers when it is told to. */
async function hidden() {
  const posted: ToWorker[] = [];
  const active = { postMessage: (word: ToWorker) => void posted.push(word) };
  const registration = { active, getNotifications: async () => [] };
  vi.stubGlobal('navigator', { serviceWorker: { getRegistration: async () => registration } });
  vi.stubGlobal('document', { visibilityState: 'hidden' });
  const waiting: (() => void)[] = [];
  server = createServer((_, response) => {
    const sigchain_url = '';
    const record = { handle: 'bob', fqhn: 'bob@kez.lat', primary: bob.primary, sigchain_url, proofs: [] };
    const text = JSON.stringify({ ...record, registered_at: '2026-11-20T08:00:00Z' });
    waiting.push(() => response.setHeader('content-type', 'application/json').end(text));
  }).listen(0, '127.0.0.1');
  await new Promise((listening) => server?.once('listening', listening));
  const http = new Http(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const clock = new Clock();
  const connection = new Connection(http, clock);
  const people = new People(connection, http, clock);
  const chats = new Chats(people);
  const heard: News[] = [];
  const mine = await receiving(me, (news) => {
    chats.hear(news);
    heard.push(news);
  });
  const { account, mailroom } = mine;
  await people.unlocked(account, () => undefined);
  await chats.unlocked(mailroom, {
    readReceipts: () => true,
    hasSiblings: async () => false,
    now: () => NOW * 1000,
    wrote: () => undefined,
  });
  await new Promise<void>((leads) => account.tabs.lead(() => leads()));
  const databaseName = `desk-${count++}`;
  const wakes = await Wakes.open(`${databaseName}-wake`);
  const settings = new Settings(undefined);
  const store = undefined;
  let isOpen = true;
  const desk = await PushDesk.open({
    ...{ connection, chats, people, settings, clock, store, databaseName },
    userAgent: '',
    opensUntil: () => clock.now() + 1000,
    isOpen: () => isOpen,
  });
  return {
    ...{ account, desk, wakes, settings, posted, waiting },
    /** Bob, of whom nothing is known, has written; what the desk makes of it. */
    async written(text: string): Promise<void> {
      await mine.receive({ from: bob, body: { kind: 'text', text } });
      const mail = heard.filter((news) => news.kind === 'mail').at(-1);
      if (!mail) throw new Error('nothing was heard');
      await desk.hear(mail, account);
    },
    async lock(): Promise<void> {
      isOpen = false;
      people.locked();
      await chats.locked();
      await desk.lock(account.primary);
    },
  };
}

/** Somebody who wants names and words. */
function record(primary: string, more: Partial<WakeRecord> = {}): WakeRecord {
  const [server, endpoint] = ['kez.lat', 'https://push.example.org/1'];
  return { primary, handle: 'me', server, endpoint, previews: true, since: 0, told: 0, unread: 0, ...more };
}

test('a message of somebody unknown is told of once their name is known', async () => {
  const { account, wakes, written, waiting, posted } = await hidden();
  await wakes.put(record(account.primary));
  const hearing = written('between us');
  // Asked for by the list of chats, and by what is to be told.
  await expect.poll(() => waiting.length).toBe(2);
  expect(posted).toEqual([]);
  for (const answer of waiting) answer();
  await hearing;
  const writers = [{ peer: bob.primary, name: 'bob', count: 1 }];
  expect(posted).toEqual([
    { kind: 'arrived', account: account.primary, tidings: { writers, text: 'between us' } },
  ]);
});

test('and is not told of any more when the account is locked before that', async () => {
  const { account, wakes, written, waiting, posted, lock } = await hidden();
  await wakes.put(record(account.primary));
  const hearing = written('between us');
  await expect.poll(() => waiting.length).toBe(2);
  await lock();
  for (const answer of waiting) answer();
  await hearing;
  expect(posted).toEqual([]);
});

test('where no account stays unlocked any more, nothing is left that opens the mail of any', async () => {
  const { desk, account, wakes, settings } = await hidden();
  const opening = { pair: await me.portablePair(), until: NOW * 2000 };
  const all = [account.primary, other.primary];
  for (const primary of all) await wakes.put(record(primary, { opening, testUntil: 7 }));
  settings.set('staysUnlocked', false);
  await desk.chosen(account);
  for (const primary of all) expect(await wakes.get(primary)).toEqual(record(primary, { testUntil: 7 }));
});
