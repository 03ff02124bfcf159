// Looks that come to nothing: what is not to be had is not asked for.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { WakeRecord } from '../storage/wakes.ts';
import { Look } from './look.ts';

const NOW = 1_800_000_000_000;
let asked: string[] = [];

beforeEach(() => {
  asked = [];
  vi.stubGlobal('WebSocket', function WebSocket(url: string) {
    asked.push(url);
    throw new Error('there is no broker here');
  });
});
afterEach(() => vi.unstubAllGlobals());

async function record(expiresAt: number | undefined): Promise<WakeRecord> {
  const pair = (await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as CryptoKeyPair;
  const url = 'wss://kez.lat/v1/nats';
  const plain = {
    handle: 'alice',
    server: 'kez.lat',
    endpoint: 'https://push.example.org/1',
    previews: true,
  };
  const read = { since: 0, told: 0, unread: 0 };
  const primary = `ed25519:${'a'.repeat(64)}`;
  const credential = { url, device: 'b'.repeat(64), envelope: '{}', key: pair.privateKey, nkey: 'U' };
  const valid = expiresAt === undefined ? {} : { credential: { ...credential, expiresAt } };
  return { primary, ...plain, ...read, ...valid };
}

const look = (of: WakeRecord, signal = new AbortController().signal) =>
  new Look(of, { now: NOW, signal, origin: 'https://kez.lat' }).see();

test('without a credential, or with one that has ended, nobody is asked', async () => {
  expect(await look(await record(undefined))).toEqual({ kind: 'blind' });
  expect(await look(await record(NOW))).toEqual({ kind: 'blind' });
  expect(asked).toEqual([]);
});

test('with one that holds, the broker is', async () => {
  await expect(look(await record(NOW + 1))).rejects.toThrow('no broker');
  expect(asked).toEqual(['wss://kez.lat/v1/nats']);
});

test('when the time is over before it begins, nobody is', async () => {
  await expect(look(await record(NOW + 1), AbortSignal.abort(new Error('too late')))).rejects.toThrow(
    'too late',
  );
  expect(asked).toEqual([]);
});
