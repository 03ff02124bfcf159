// The key that opens mail, on its way to workers and into storage: also where browsers cannot carry X25519 keys.
import { afterEach, expect, test, vi } from 'vitest';
import { OpeningKey, SecretKey } from '../keys.ts';
import { messageId } from '../message.ts';
import type { WrappedPair } from '../portable.ts';
import { open, seal } from '../sealed.ts';

const NOW = 1_800_000_000;
const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));

afterEach(() => vi.unstubAllGlobals());

async function opens(me: SecretKey, key: OpeningKey): Promise<boolean> {
  const { primary } = me;
  const body = { kind: 'text', text: 'carried' } as const;
  const message = { id: messageId(random(16)), primary, device: undefined, to: primary, sentAt: NOW, body };
  const opened = await open(await seal(message, me, random(32)), key, NOW);
  return opened.body.kind === 'text' && opened.body.text === 'carried';
}

test('where browsers carry such keys, they travel as they are', async () => {
  const me = SecretKey.fromSeed(random(32));
  const carried = structuredClone(await me.portablePair());
  expect(carried).toHaveProperty('privateKey.extractable', false);
  expect(await opens(me, new OpeningKey(me.primary, carried))).toBe(true);
});

test('where browsers do not, they travel encrypted, and nothing in them is shown', async () => {
  const clone = structuredClone;
  vi.stubGlobal('structuredClone', (value: unknown) => {
    // As WebKit says it.
    if ('privateKey' in (value as object)) throw new TypeError('Unable to deserialize data.');
    return clone(value);
  });
  const me = SecretKey.fromSeed(random(32));
  const secret = me.x25519Secret();
  const carried = structuredClone(await me.portablePair()) as WrappedPair;
  expect(carried).not.toHaveProperty('privateKey');
  expect(carried.by).toMatchObject({ extractable: false, usages: ['wrapKey', 'unwrapKey'] });
  await expect(crypto.subtle.exportKey('raw', carried.by)).rejects.toThrow();
  expect(Buffer.concat([carried.raw, carried.wrapped, carried.iv]).includes(Buffer.from(secret))).toBe(false);

  const key = new OpeningKey(me.primary, carried);
  expect((await key.openingPair()).privateKey.extractable).toBe(false);
  expect(await opens(me, key)).toBe(true);
  const changed = { ...carried, wrapped: carried.wrapped.map((byte, at) => (at === 20 ? byte ^ 1 : byte)) };
  await expect(new OpeningKey(me.primary, changed).openingPair()).rejects.toThrow();
});
