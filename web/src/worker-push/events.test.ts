// A page's word of mail: names and words are shown while the account is open, and not once it was locked.
import 'fake-indexeddb/auto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SecretKey } from '../crypto/keys.ts';
import { lockedRecord, Wakes } from '../storage/wakes.ts';
import { listen } from './events.ts';
import type { ToWorker } from './talk.ts';

const ALICE = SecretKey.fromSeed(new Uint8Array(32).fill(1));
const WORD: ToWorker = {
  kind: 'arrived',
  account: ALICE.primary,
  tidings: { writers: [{ peer: 'ed25519:b', name: 'bob', count: 1 }], text: 'between us' },
};

let wakes: Wakes;
/** What stands on the screen, by its tag. */
let shown: Map<string, string>;
let worker: EventTarget;
/** Happens when something is put on the screen. */
let showing: () => Promise<void>;

beforeEach(async () => {
  wakes = await Wakes.open();
  const [server, endpoint] = ['kez.lat', 'https://push.example.org/1'];
  const opening = { pair: await ALICE.portablePair(), until: Date.now() + 60_000 };
  const { primary } = ALICE;
  await wakes.put({
    ...{ primary, handle: 'alice', server, endpoint, previews: true, since: 0, told: 0, unread: 0, opening },
  });
  shown = new Map();
  showing = async () => undefined;
  const registration = {
    async showNotification(title: string, { tag, body }: { tag: string; body: string }) {
      await showing();
      shown.set(tag, `${title}: ${body}`);
    },
    getNotifications: async () => [],
  };
  worker = Object.assign(new EventTarget(), { registration, clients: { matchAll: async () => [] } });
  vi.stubGlobal('self', worker);
  listen();
});
afterEach(() => {
  wakes.close();
  vi.unstubAllGlobals();
});

/** A page says this to the service worker, which has then done what it does about it. */
async function say(data: ToWorker): Promise<void> {
  const done: Promise<unknown>[] = [];
  const waitUntil = (work: Promise<unknown>) => void done.push(work);
  worker.dispatchEvent(Object.assign(new Event('message'), { data, waitUntil }));
  await Promise.all(done);
}

const lock = () => wakes.change(ALICE.primary, lockedRecord);

test('of an open account it is shown as it was said', async () => {
  await say(WORD);
  expect([...shown.values()]).toEqual(['bob: between us']);
});

test('of one that was locked before it came, it names nobody', async () => {
  await lock();
  await say(WORD);
  expect([...shown.values()]).toEqual(['Kez: New message']);
});

test('of one that is locked while it is being shown, nobody is named any more', async () => {
  showing = lock;
  await say(WORD);
  expect([...shown.values()]).toEqual(['Kez: New message']);
});
