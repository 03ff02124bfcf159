// Signed envelopes, and the kinds of them: the same stories as Rust's.
import { describe, expect, test } from 'vitest';
import { canonicalText } from '../canonical.ts';
import { createSigned, envelopeText, envelopeValue, parseSigned, type Tag } from '../envelope.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Signer } from '../keys.ts';
import { NostrSecret } from '../nostr-signature.ts';
import { payload } from '../payload.ts';
import { algorithm, nkeyOf, primaryOf } from '../primary.ts';
import { checkProfile, createProfile } from '../profile.ts';
import { checkRegistration, createRegistration } from '../registration.ts';
import { checkRequest, inboxRequest, signRequest, streamRequest } from '../request-auth.ts';
import { checkSession, createSession, MAX_SESSION_SECONDS } from '../session.ts';
import { formatTime } from '../timestamp.ts';
import { key, refusal, vectors } from './vectors.ts';

const NOW = 1_779_678_000;
const alice = key(1);
const device = key(2);
const nostr = new NostrSecret(new Uint8Array(32).fill(1));
const TAGS: Tag[] = ['handle_registration', 'claim', 'sigchain_event', 'message', 'session', 'profile'];

/** The text of an envelope of one tag by a signer, with one change to it. */
async function changed(
  tag: Tag,
  signer: Signer,
  members: JsonObject,
  path: string[] = [],
  value: Json = null,
) {
  const envelope = structuredClone(envelopeValue(await createSigned(tag, members, signer)));
  let place = envelope;
  for (const name of path.slice(0, -1)) place = place[name] as JsonObject;
  const last = path.at(-1);
  if (last !== undefined) place[last] = value;
  return canonicalText(envelope);
}

describe('envelopes', () => {
  const byDevice = () => payload({ primary: alice.primary, device: device.primary });

  test.each(TAGS)('a device signs sessions and messages only: %s', async (tag) => {
    const text = await changed(tag, device, byDevice());
    if (tag !== 'session' && tag !== 'message') {
      expect(await refusal(() => parseSigned(text, tag))).toBe('key_mismatch');
      return;
    }
    const signed = await parseSigned(text, tag);
    expect([signed.primary, signed.device, signed.key]).toEqual([
      alice.primary,
      device.primary,
      device.primary,
    ]);
    expect(envelopeText(signed)).toBe(text);
  });

  const cases: [string, Json, string][] = [
    ['payload.primary', 1, 'malformed'],
    ['payload.device', 'ed25519:', 'malformed'],
    ['payload.version', '1', 'malformed'],
    ['payload.type', null, 'malformed'],
    ['payload', [], 'malformed'],
    ['more', 1, 'malformed'],
    ['signature.more', 1, 'malformed'],
    ['kez', 'claim', 'wrong_envelope'],
    ['kez', 1, 'malformed'],
    ['payload.type', 'kez.claim', 'wrong_envelope'],
    ['payload.version', 2, 'unsupported_version'],
    ['payload.primary', 'nostr:npub1q', 'unsupported_key'],
    ['payload.device', 'nostr:npub1q', 'unsupported_key'],
    ['signature.key', 'nostr:npub1q', 'unsupported_key'],
    ['signature.alg', 'ed25519', 'unsupported_key'],
    ['signature.key', `ed25519:${'0'.repeat(64)}`, 'key_mismatch'],
    ['signature.sig', '', 'bad_signature'],
    ['signature.sig', '0'.repeat(128), 'bad_signature'],
    ['signature.sig', 0, 'malformed'],
  ];
  test.each(cases)('faults come in order: %s %j', async (path, value, code) => {
    const text = await changed('message', device, byDevice(), path.split('.'), value);
    expect(await refusal(() => parseSigned(text, 'message'))).toBe(code);
  });

  test.each(TAGS)('claims and events are of either algorithm: %s', async (tag) => {
    const text = await changed(tag, nostr, payload({}));
    const takes = tag === 'claim' || tag === 'sigchain_event';
    expect(await refusal(() => parseSigned(text, tag))).toBe(takes ? null : 'unsupported_key');
  });

  test('key and algorithm belong together', async () => {
    const [hex, npub] = [alice.primary, nostr.primary];
    for (const [primary, its, alg, code] of [
      [hex, hex, algorithm(npub), 'unsupported_key'],
      [npub, npub, algorithm(hex), 'unsupported_key'],
      [npub, npub, 'nostr', 'unsupported_key'],
      [hex, npub, algorithm(npub), 'key_mismatch'],
      [npub, hex, algorithm(hex), 'key_mismatch'],
      [npub, hex, algorithm(npub), 'unsupported_key'],
      [npub, npub, algorithm(npub), 'bad_signature'],
    ] as const) {
      const text = await changed('claim', alice, payload({ primary }), ['signature'], {
        alg,
        key: its,
        sig: '0'.repeat(128),
      });
      expect(await refusal(() => parseSigned(text, 'claim')), `${primary} ${its} ${alg}`).toBe(code);
    }
  });
});

describe('sessions', () => {
  const session = primaryOf(new Uint8Array(32).fill(7));
  async function check(from: number, to: number, signer = alice) {
    const terms = {
      primary: alice.primary,
      session,
      server: 'kez.lat',
      createdAt: NOW + from,
      expiresAt: NOW + to,
    };
    return checkSession(await createSession(terms, signer), 'kez.lat', nkeyOf(session), NOW);
  }
  const day = MAX_SESSION_SECONDS;
  test.each([
    ...[
      [0, 1],
      [0, day],
      [-day + 1, 1],
      [300, 301],
      [300, 300 + day],
    ].map((times) => [...times, null]),
    ...[
      [-1, 0],
      [-10, -5],
      [-day, 0],
      [-2 * day, -1],
    ].map((times) => [...times, 'expired']),
    ...[
      [301, 302],
      [0, day + 1],
      [-day, 1],
      [2, 1],
      [1, 1],
    ].map((times) => [...times, 'stale_timestamp']),
  ] as [number, number, string | null][])('times are bounded: %i to %i', async (from, to, code) => {
    expect(await refusal(() => check(from, to))).toBe(code);
  });
  test('a device signs for its primary', async () => {
    const { primary, device: its } = await check(0, 60, device);
    expect([primary, its]).toEqual([alice.primary, device.primary]);
  });
  test('is bound to server and connection', async () => {
    const terms = { primary: alice.primary, session, server: 'kez.lat', createdAt: NOW, expiresAt: NOW + 60 };
    const text = await createSession(terms, alice);
    expect(await refusal(() => checkSession(text, 'evil.example', nkeyOf(session), NOW))).toBe(
      'wrong_server',
    );
    expect(await refusal(() => checkSession(text, 'kez.lat', nkeyOf(alice.primary), NOW))).toBe(
      'wrong_session',
    );
  });
  test('are for everything, or for waking', async () => {
    const terms = { primary: alice.primary, session, server: 'kez.lat', createdAt: NOW, expiresAt: NOW + 60 };
    for (const purpose of ['everything', 'wake'] as const) {
      const text = await createSession({ ...terms, purpose }, device);
      expect((await checkSession(text, 'kez.lat', nkeyOf(session), NOW)).purpose).toBe(purpose);
    }
    expect((await check(0, 60)).purpose).toBe('everything');
  });
  test.each(['', 'Wake', 'everything', 'chat', null, 1])('of no use %j', async (use) => {
    const times = { created_at: formatTime(NOW), expires_at: formatTime(NOW + 60) };
    const nkey = nkeyOf(session);
    const members = payload({ session: nkey, use, server: 'kez.lat', ...times });
    const text = envelopeText(await createSigned('session', members, alice));
    expect(await refusal(() => checkSession(text, 'kez.lat', nkey, NOW))).toBe('malformed');
  });
  test.each(['', 'U', alice.primary, `A${nkeyOf(alice.primary).slice(1)}`])(
    '%j is no nkey',
    async (session) => {
      const times = { created_at: formatTime(NOW), expires_at: formatTime(NOW + 60) };
      const signed = await createSigned('session', payload({ session, server: 'kez.lat', ...times }), alice);
      expect(await refusal(() => checkSession(envelopeText(signed), 'kez.lat', session, NOW))).toBe(
        'malformed',
      );
    },
  );
});

describe('profiles', () => {
  test('are read as they were written', async () => {
    const picture = vectors<{ valid: { member: JsonObject }[] }>('pictures.json').valid.at(-1)?.member;
    const content = { displayName: 'Älice', about: undefined, picture, updatedAt: NOW };
    const profile = await checkProfile(await createProfile(content, alice), NOW);
    expect(profile).toEqual({ primary: alice.primary, ...content });
  });
  test('texts are counted in characters', async () => {
    const create = (name: number, about: number) =>
      createProfile({ displayName: '😀'.repeat(name), about: 'ü'.repeat(about), updatedAt: NOW }, alice);
    expect(await refusal(async () => checkProfile(await create(64, 500), NOW))).toBe(null);
    expect(await refusal(() => create(65, 0))).toBe('too_large');
    expect(await refusal(() => create(0, 501))).toBe('too_large');
    const long = payload({ display_name: 'x'.repeat(65), updated_at: formatTime(NOW) });
    const text = envelopeText(await createSigned('profile', long, alice));
    expect(await refusal(() => checkProfile(text, NOW))).toBe('too_large');
    expect(await refusal(() => checkProfile(' '.repeat(64 * 1024 + 1), NOW))).toBe('too_large');
    expect(await refusal(() => createProfile({ picture: { size: 7 }, updatedAt: NOW }, alice))).toBe(
      'malformed',
    );
    const broken = payload({ picture: null, updated_at: formatTime(NOW) });
    const signed = envelopeText(await createSigned('profile', broken, alice));
    expect(await refusal(() => checkProfile(signed, NOW))).toBe('malformed');
  });
  test.each([
    [-1_000_000_000, null],
    [300, null],
    [301, 'stale_timestamp'],
  ] as const)('may be old but not of the future: %i', async (seconds, code) => {
    const text = await createProfile({ updatedAt: NOW + seconds }, alice);
    expect(await refusal(() => checkProfile(text, NOW))).toBe(code);
  });
});

test('a registration is read as it was written', async () => {
  const text = await createRegistration('alice', 'kez.lat', NOW, alice);
  const expected = { handle: 'alice', primary: alice.primary, server: 'kez.lat', createdAt: NOW };
  expect(await checkRegistration(text, 'kez.lat', NOW + 300)).toEqual(expected);
});

test('request signatures take one minute of skew, and one text', async () => {
  const header = await signRequest(streamRequest('alice'), 1000, alice);
  const check = (now: number, text = streamRequest('alice')) =>
    refusal(() => checkRequest(header, text, alice.primary, now));
  expect([await check(940), await check(1000), await check(1060)]).toEqual([null, null, null]);
  expect([await check(939), await check(1061)]).toEqual(['stale_timestamp', 'stale_timestamp']);
  expect(await check(1000, inboxRequest('alice', 0))).toBe('bad_signature');
});

test.each(['', '-1', '+1', '01', '00', ' 1', '1 ', '1.0', '1e3', '1234567890123', '١'])(
  'a header that begins with %j is none',
  async (digits) => {
    for (const header of [
      `${digits}:${'0'.repeat(128)}`,
      `1:${'0'.repeat(127)}`,
      `1:${'0'.repeat(127)}A`,
      '1',
    ]) {
      expect(await refusal(() => checkRequest(header, '', alice.primary, 1))).toBe('invalid_auth');
    }
  },
);
