// What is left for the service worker: changed by pages and by it, and gone when it should be.
import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import { lockedRecord, Wakes, type WakeRecord } from './wakes.ts';

const record: WakeRecord = {
  primary: `ed25519:${'a'.repeat(64)}`,
  handle: 'alice',
  server: 'kez.lat',
  endpoint: 'https://push.example.org/1',
  previews: true,
  since: 3,
  told: 3,
  unread: 0,
};

async function secrets(): Promise<WakeRecord> {
  const pair = (await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as CryptoKeyPair;
  const credential = {
    url: 'wss://kez.lat/v1/nats',
    device: 'b'.repeat(64),
    envelope: '{}',
    key: pair.privateKey,
    nkey: 'U',
    expiresAt: 1,
  };
  return { ...record, credential, opening: { pair, until: 1 } };
}

test('two who write at the same time lose nothing of each other', async () => {
  const [page, worker] = [await Wakes.open('both'), await Wakes.open('both')];
  await page.put(record);
  await Promise.all([
    page.change(record.primary, (now) => ({ ...now, since: 9 })),
    worker.change(record.primary, (now) => ({ ...now, told: 7 })),
  ]);
  expect(await page.get(record.primary)).toEqual({ ...record, since: 9, told: 7 });
});

test('what was removed does not come back by a change', async () => {
  const wakes = await Wakes.open('removed');
  await wakes.put(record);
  await wakes.remove(record.primary);
  await wakes.change(record.primary, (now) => ({ ...now, since: 9 }));
  expect(await wakes.all()).toEqual([]);
});

test('locked, it says that the account wants to be woken, and opens and fetches nothing', async () => {
  const wakes = await Wakes.open('locked');
  await wakes.put(await secrets());
  expect((await wakes.get(record.primary))?.credential?.key.extractable).toBe(false);
  await wakes.change(record.primary, lockedRecord);
  expect(await wakes.get(record.primary)).toEqual(record);
});
