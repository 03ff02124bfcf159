// Sigchains, the messages of devices, and what else the shared vectors leave out.
import { expect, test } from 'vitest';
import { fromLines, MAX_PACKED_BYTES, pack, readBundle, toLines } from '../bundle.ts';
import { addOp, Chain, revokeOp } from '../chain.ts';
import { MAX_EVENT_BYTES } from '../event.ts';
import { handleFault, parseFullHandle, RESERVED } from '../handle.ts';
import { parseIdentifier } from '../identifier.ts';
import { DeviceKey, SecretKey, x25519Public, type Ed25519Signer, type Signer } from '../keys.ts';
import { readBody, type Message } from '../message.ts';
import { crc16, decodeNkey, encodeNkey } from '../nkey.ts';
import { NostrSecret } from '../nostr-signature.ts';
import { deviceProof, successorProof, type Op } from '../op.ts';
import { parsePhrase, PhraseFault, phraseOf, recover, wordsBeginning } from '../phrase.ts';
import { parseEd25519, parsePrimary, primaryOf } from '../primary.ts';
import { open, openArchived, parseSealed, seal, sealedText } from '../sealed.ts';
import { Seen } from '../seen.ts';
import { utf8 } from '../bytes.ts';
import { key, refusal } from './vectors.ts';

const NOW = 1_779_678_000;
const [alice, bob, laptop] = [key(1), key(2), key(3)];
const nostr = new NostrSecret(new Uint8Array(32).fill(1));

async function next(chain: Chain, op: Op, at = NOW, signer: Signer = alice): Promise<string | null> {
  const event = await chain.signNext(op, at, signer);
  return refusal(() => chain.append(event));
}

async function addDevice(chain: Chain, device: Ed25519Signer): Promise<Op> {
  const proof = await deviceProof(chain.primary, device);
  return { op: 'add_device', device: device.primary, name: 'laptop', proof };
}

test('a refused event changes nothing', async () => {
  const chain = new Chain(alice.primary);
  expect(await next(chain, addOp('github:alice'))).toBe(null);
  const before = chain.state();
  expect(await next(chain, addOp('github:alice'))).toBe('already_active');
  expect(await next(chain, revokeOp('github:bob'))).toBe('not_active');
  expect(await next(chain, addOp('dns:a.example'), NOW - 1)).toBe('clock_backwards');
  expect(await next(chain, addOp('dns:a.example'), NOW, bob)).toBe('key_mismatch');
  expect(
    await next(chain, { ...(await addDevice(chain, laptop)), name: 'x'.repeat(MAX_EVENT_BYTES) } as Op),
  ).toBe('too_large');
  expect(chain.state()).toEqual(before);
});

test('devices and claims share their names', async () => {
  const chain = new Chain(alice.primary);
  const op = await addDevice(chain, laptop);
  expect(await next(chain, op)).toBe(null);
  expect(await next(chain, op)).toBe('already_active');
  expect(await next(chain, addOp(laptop.primary))).toBe('already_active');
  expect(chain.hasDevice(laptop.primary)).toBe(true);
  expect(await next(chain, revokeOp(laptop.primary))).toBe(null);
  expect(chain.hasDevice(laptop.primary)).toBe(false);
  expect(chain.wasRevoked(laptop.primary)).toBe(false);
  expect(await next(chain, op)).toBe(null);
});

test('revoked claims are remembered', async () => {
  const chain = new Chain(alice.primary);
  const seen = () => [chain.isClaimed('github:alice'), chain.wasRevoked('github:alice')];
  for (let round = 0; round < 2; round++) {
    expect(await next(chain, addOp('github:alice'))).toBe(null);
    expect(seen()).toEqual([true, false]);
    expect(await next(chain, revokeOp('github:alice'))).toBe(null);
    expect(seen()).toEqual([false, true]);
  }
});

test('a key that has not agreed is not added', async () => {
  const chain = new Chain(alice.primary);
  const proof = await deviceProof(bob.primary, laptop);
  expect(await next(chain, { op: 'add_device', device: laptop.primary, name: '', proof })).toBe('bad_proof');
  expect(await next(chain, { op: 'rotate', successor: laptop.primary, proof: 'x' })).toBe('bad_proof');
  expect(chain.length).toBe(0);
});

test('Nostr identities have chains too, and a successor ends them', async () => {
  const chain = new Chain(nostr.primary);
  const proof = await successorProof(nostr.primary, bob);
  for (const op of [
    addOp('github:alice'),
    await addDevice(chain, laptop),
    { op: 'rotate', successor: bob.primary, proof },
  ]) {
    expect(await next(chain, op as Op, NOW, alice)).toBe('key_mismatch');
    expect(await next(chain, op as Op, NOW, nostr)).toBe(null);
  }
  expect(chain.successor).toBe(bob.primary);
  expect(await next(chain, addOp('github:bob'), NOW, nostr)).toBe('chain_closed');
});

test('readers keep what they do not know', async () => {
  const chain = new Chain(alice.primary);
  const event = await chain.signNext({ op: 'unknown' }, NOW, alice);
  expect(await refusal(() => chain.append(event))).toBe('unknown_op');
  await chain.appendDownloaded(event);
  expect([chain.length, chain.claims, chain.head !== undefined]).toEqual([1, [], true]);
  expect(await next(chain, addOp('github:alice'))).toBe(null);
});

test('bundles are bounded', async () => {
  expect(fromLines('')).toEqual([]);
  expect(fromLines('{}\n{}')).toEqual(['{}', '{}']);
  expect(toLines(['{\n}', '{}'])).toBe('{ }\n{}\n');
  expect(await refusal(() => fromLines('{}\n \n{}'))).toBe('malformed');
  expect(await refusal(() => fromLines('x'.repeat(MAX_EVENT_BYTES + 1)))).toBe('too_large');
  expect(await refusal(() => fromLines('{}\n'.repeat(10_001)))).toBe('too_large');
  expect(await refusal(() => pack('x'.repeat(MAX_PACKED_BYTES + 1)))).toBe('too_large');
  expect(readBundle(` ${pack('{}\n{}\n')}\n`)).toEqual(['{}', '{}']);
});

function message(of: Partial<Message> = {}): Message {
  const body = { kind: 'text', text: 'hello 😀' } as const;
  return {
    id: '0'.repeat(32),
    primary: alice.primary,
    device: undefined,
    to: bob.primary,
    sentAt: NOW,
    body,
    ...of,
  };
}

const random = () => crypto.getRandomValues(new Uint8Array(32));

test('what is sealed opens, for the recipient and in time', async () => {
  const sealed = await seal(message(), alice, random());
  expect(await open(parseSealed(sealedText(sealed)), bob, NOW)).toEqual(message());
  expect(await refusal(() => open(sealed, alice, NOW))).toBe('cannot_open');
  const week = 7 * 86_400;
  expect([
    await refusal(() => open(sealed, bob, NOW + week)),
    await refusal(() => open(sealed, bob, NOW - 300)),
  ]).toEqual([null, null]);
  expect(await refusal(() => open(sealed, bob, NOW + week + 1))).toBe('stale');
  expect(await refusal(() => open(sealed, bob, NOW - 301))).toBe('stale');
  expect(await openArchived(sealed, bob)).toEqual(message());
});

test('a device writes for its identity, and nobody for another', async () => {
  const pair = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
  const device = await DeviceKey.fromPair(pair as CryptoKeyPair);
  const written = message({ device: device.primary });
  expect(await open(await seal(written, device, random()), bob, NOW)).toEqual(written);
  expect(await refusal(() => seal(message(), bob, random()))).toBe('key_mismatch');
  expect(await refusal(() => seal(written, alice, random()))).toBe('key_mismatch');
});

test('sealing is bounded and takes only usable keys', async () => {
  const long = message({ body: { kind: 'text', text: 'x'.repeat(200_000) } });
  expect(await refusal(() => seal(long, alice, random()))).toBe('too_large');
  const weak = primaryOf(Uint8Array.of(1, ...new Uint8Array(31)));
  expect(await refusal(() => seal(message({ to: weak }), alice, random()))).toBe('malformed');
  expect(await refusal(() => parseSealed(`"${'x'.repeat(256 * 1024)}"`))).toBe('too_large');
  expect(await refusal(() => x25519Public(primaryOf(Uint8Array.of(2, ...new Uint8Array(31)))))).toBe(
    'malformed',
  );
});

test('bodies of a newer version are kept', async () => {
  for (const value of [
    { kind: 'poll', n: 1 },
    { kind: 'receipt', status: 'eaten', of: 1 },
  ]) {
    expect(readBody(value)).toEqual({ kind: 'unknown', value });
  }
  for (const value of [
    null,
    [],
    {},
    { kind: 1 },
    { kind: 'text' },
    { kind: 'receipt', status: 'read', of: ['x'] },
  ]) {
    expect(await refusal(() => readBody(value))).toBe('malformed');
  }
});

test('the memory forgets only the oldest', () => {
  const id = (number: number) => number.toString(16).padStart(32, '0');
  const seen = new Seen();
  for (let number = 0; number < 10_000; number++) expect(seen.firstTime(id(number))).toBe(true);
  for (let number = 0; number < 10_000; number++) expect(seen.firstTime(id(number))).toBe(false);
  expect([seen.firstTime(id(10_000)), seen.firstTime(id(1)), seen.firstTime(id(0))]).toEqual([
    true,
    false,
    true,
  ]);
  expect(new Seen(seen.ids()).ids()).toEqual(seen.ids());
});

test('a forgotten key signs no more', () => {
  const forgotten = SecretKey.fromSeed(new Uint8Array(32).fill(9));
  const seed = forgotten.seed();
  forgotten.forget();
  expect(() => forgotten.signNow(utf8('x'))).toThrow('forgotten');
  expect(() => forgotten.seed()).toThrow('forgotten');
  expect(seed).toEqual(new Uint8Array(32).fill(9));
  expect(JSON.stringify(forgotten)).not.toContain('09');
});

test('nkeys have one text, and a checksum', async () => {
  expect(crc16(utf8('123456789'))).toBe(0x31c3);
  const text = encodeNkey(new Uint8Array(32).fill(7));
  expect(decodeNkey(text)).toEqual(new Uint8Array(32).fill(7));
  for (const other of [
    '',
    'U',
    text.toLowerCase(),
    `${text}=`,
    `${text}A`,
    `A${text.slice(1)}`,
    `${text.slice(0, -1)}7`,
  ]) {
    expect(await refusal(() => decodeNkey(other)), other).toBe('malformed');
  }
});

test('primaries are of two systems', async () => {
  expect(parsePrimary(nostr.primary)).toBe(nostr.primary);
  expect(await refusal(() => parseEd25519(nostr.primary))).toBe('unsupported_key');
  const hex = 'ab'.repeat(32);
  for (const text of [
    '',
    'nostr',
    'nostr:',
    'nostr:npub1qqqqqq',
    'ed25519:npub1',
    'github:a',
    `ed25519:${hex.toUpperCase()}`,
  ]) {
    expect(await refusal(() => parsePrimary(text)), text).toBe('malformed');
  }
  expect(await refusal(() => parsePrimary(nostr.primary.toUpperCase()))).toBe('malformed');
});

test('handles', async () => {
  for (const name of ['alice', 'a-b_c', '0day', 'a'.repeat(32)]) expect(handleFault(name)).toBeUndefined();
  for (const name of ['', 'ab', 'Alice', '_abc', '-abc', 'a.b', 'äbc', 'a'.repeat(33), 'abc\n']) {
    expect(handleFault(name), name).toBe('invalid_handle');
  }
  for (const name of RESERVED) expect(handleFault(name)).toBe('reserved_handle');
  for (const text of ['alice@kez.lat', 'a-b_c@localhost', '0day@localhost:8080']) {
    const { handle, server } = parseFullHandle(text);
    expect(`${handle}@${server}`).toBe(text);
  }
  for (const text of [
    'alice',
    'alice@',
    '@kez.lat',
    'alice@kez..lat',
    'alice@Kez.lat',
    'alice@a@b',
    'alice@a:+1',
    'alice@a:',
    'alice@a:65536',
  ]) {
    expect(await refusal(() => parseFullHandle(text)), text).toBe('invalid_handle');
  }
  expect(await refusal(() => parseFullHandle('root@kez.lat'))).toBe('reserved_handle');
});

test('identifiers', async () => {
  for (const text of ['github:tudisco', 'ap:a@b', 'web:https://kez.lat', 'x1:a:b', 'nostr:npub1x']) {
    expect(parseIdentifier(text)).toBe(text);
  }
  expect(parseIdentifier('mastodon:a@b')).toBe('ap:a@b');
  for (const text of [
    '',
    'github',
    ':a',
    'github:',
    'GitHub:a',
    '1a:b',
    'a b:c',
    'github:a b',
    'github:a\u0085',
    'ed25519:ab',
    'web:http://a',
    'web:https://',
    'ap:@a',
    'ap:a@',
    `a:${'ü'.repeat(256)}`,
  ]) {
    expect(await refusal(() => parseIdentifier(text)), text).toBe('malformed');
  }
});

test('what someone kept is told apart by itself', () => {
  const hex = '42'.repeat(32);
  const [twelve, twentyFour] = [phraseOf(new Uint8Array(16)), phraseOf(new Uint8Array(32).fill(0x42))];
  expect(recover(` ${hex.toUpperCase()}\n`).key.primary).toBe(key(hex).primary);
  expect(recover(twentyFour)).toMatchObject({ words: twentyFour });
  expect(recover(twentyFour.toUpperCase()).key.primary).toBe(key(hex).primary);
  expect(recover(twelve).words).toBe(twelve);
  const problem = (text: string) => {
    try {
      parsePhrase(text);
    } catch (error) {
      return error instanceof PhraseFault ? error.problem : error;
    }
    return undefined;
  };
  const zeros = 'abandon '.repeat(11);
  expect(problem(`${zeros}abouт`)).toEqual({ reason: 'unknown word', position: 12 });
  expect(problem('a b c')).toEqual({ reason: 'word count', found: 3 });
  expect(problem(' \n')).toEqual({ reason: 'empty' });
  expect(problem(`${zeros}abandon`)).toEqual({ reason: 'checksum' });
  expect(wordsBeginning('aba', 5)).toEqual(['abandon']);
});
