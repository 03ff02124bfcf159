// Every case of the shared vector files, by its name: what Rust's `conform` checks, checked here.
import { x25519 } from '@noble/curves/ed25519.js';
import { describe, expect, test } from 'vitest';
import { readBundle, pack, toLines } from '../bundle.ts';
import { toHex } from '../bytes.ts';
import { canonicalText } from '../canonical.ts';
import { Chain } from '../chain.ts';
import { checkClaim, parseClaim } from '../claim.ts';
import { compactClaim, decodeClaim, markdownClaim, txtPieces } from '../claim-forms.ts';
import { findClaims } from '../claim-search.ts';
import { envelopeText, envelopeValue, parseSigned } from '../envelope.ts';
import { parse, type Json } from '../json.ts';
import { x25519Public } from '../keys.ts';
import { bodyValue, messageFromSigned, readBody } from '../message.ts';
import { parsePhrase, PhraseFault, phraseOf } from '../phrase.ts';
import { fromNkey, nkeyOf, primaryOf, type Ed25519Primary, type Primary } from '../primary.ts';
import { checkRegistration } from '../registration.ts';
import {
  checkRequest,
  inboxRequest,
  pushSubscribeRequest,
  pushSubscriptionsRequest,
  pushUnsubscribeRequest,
  streamRequest,
} from '../request-auth.ts';
import { checkSession, createSession, type Purpose } from '../session.ts';
import { open, openEnvelope, parseSealed, sealedText, transportId } from '../sealed.ts';
import { parseTime } from '../timestamp.ts';
import { bytes, key, refusal, vectors } from './vectors.ts';

describe('identities.json', () => {
  interface Identity {
    name: string;
    seed: string;
    public: string;
    identity: Ed25519Primary;
    nkey: string;
    x25519_secret: string;
    x25519_public: string;
  }
  test.each(vectors<Identity[]>('identities.json'))('$name', (case_) => {
    const secret = key(case_.seed);
    expect(secret.primary).toBe(case_.identity);
    expect(primaryOf(bytes(case_.public))).toBe(case_.identity);
    expect(nkeyOf(secret.primary)).toBe(case_.nkey);
    expect(fromNkey(case_.nkey)).toBe(case_.identity);
    expect(toHex(secret.x25519Secret())).toBe(case_.x25519_secret);
    expect(toHex(x25519Public(secret.primary))).toBe(case_.x25519_public);
    expect(x25519.getPublicKey(secret.x25519Secret())).toEqual(x25519Public(secret.primary));
  });
});

describe('mnemonics.json', () => {
  const file = vectors<{
    valid: { phrase: string; entropy: string; seed: string; public: string }[];
    invalid: { phrase: string; why: string }[];
    same_as_valid: { phrase: string; index: number }[];
  }>('mnemonics.json');
  test.each(file.valid)('valid: $phrase', ({ phrase, entropy, seed, public: publicKey }) => {
    expect(phraseOf(bytes(entropy))).toBe(phrase);
    expect(toHex(parsePhrase(phrase).seed)).toBe(seed);
    expect(key(seed).primary).toBe(`ed25519:${publicKey}`);
  });
  test.each(file.invalid)('invalid ($why): $phrase', ({ phrase, why }) => {
    expect(() => parsePhrase(phrase)).toThrow(PhraseFault);
    expect(() => parsePhrase(phrase)).toThrow(why);
  });
  test.each(file.same_as_valid)('same as valid $index', ({ phrase, index }) => {
    const read = parsePhrase(phrase);
    expect(toHex(read.seed)).toBe(file.valid[index]?.seed);
    expect(read.words).toBe(file.valid[index]?.phrase);
  });
});

describe('strict-json.json', () => {
  const cases = vectors<{ name: string; text: string; accept: boolean }[]>('strict-json.json');
  test.each(cases)('$name', async ({ text, accept }) => {
    expect(await refusal(() => parse(text))).toBe(accept ? null : 'malformed');
    expect(await refusal(() => parse(new TextEncoder().encode(text)))).toBe(accept ? null : 'malformed');
  });
});

describe('claims.json', () => {
  test.each(vectors<{ jcs: string; envelope: Json }[]>('claims.json'))('$jcs', async ({ jcs, envelope }) => {
    const asWritten = JSON.stringify(envelope);
    const signed = await parseSigned(asWritten, 'claim');
    expect(canonicalText(signed.payload)).toBe(jcs);
    const claim = await parseClaim(asWritten);
    checkClaim(claim, claim.subject, signed.primary, claim.createdAt);
    const text = envelopeText(signed);
    const compact = compactClaim(text);
    const forms = [
      asWritten,
      compact,
      markdownClaim(text),
      markdownClaim(compact),
      txtPieces(compact).join(''),
    ];
    for (const form of forms) {
      const decoded = decodeClaim(form);
      expect(envelopeValue(await parseSigned(decoded, 'claim'))).toEqual(envelopeValue(signed));
      expect(findClaims(form)).toEqual([{ envelope: decoded }]);
    }
  });
});

describe('registrations.json', () => {
  const file = vectors<{
    server: string;
    cases: { name: string; envelope: Json; now: string; error: string | null }[];
  }>('registrations.json');
  test.each(file.cases)('$name', async ({ envelope, now, error }) => {
    const check = () => checkRegistration(JSON.stringify(envelope), file.server, parseTime(now));
    expect(await refusal(check)).toBe(error);
  });
});

describe('request-auth.json', () => {
  interface Request {
    name: string;
    text: string;
    header: string;
    primary: Ed25519Primary;
  }
  test.each(vectors<Request[]>('request-auth.json'))('$name', async ({ name, text, header, primary }) => {
    const last = text.lastIndexOf('\n');
    const [lines, seconds] = [text.slice(0, last), Number(text.slice(last + 1))];
    const built: Record<string, string> = {
      inbox: inboxRequest('tudisco', 0),
      stream: streamRequest('tudisco'),
      push: pushSubscribeRequest('tudisco', 'https://push.example/abc'),
      push_unsubscribe: pushUnsubscribeRequest('tudisco', 'https://push.example/abc'),
      push_subscriptions: pushSubscriptionsRequest('tudisco'),
    };
    expect(built[name] ?? lines).toBe(lines);
    expect(await checkRequest(header, lines, primary, seconds)).toBe(seconds);
  });
});

describe('sessions.json', () => {
  interface Session {
    name: string;
    envelope: string;
    now: string;
    seed?: string;
    device?: Ed25519Primary | null;
    use?: 'wake' | null;
    error: string | null;
  }
  const file = vectors<{
    server: string;
    primary: Ed25519Primary;
    session: Ed25519Primary;
    nkey: string;
    created_at: string;
    expires_at: string;
    cases: Session[];
  }>('sessions.json');
  const { server, primary, session, nkey } = file;
  test.each(file.cases)('$name', async ({ envelope, now, seed, device, use, error }) => {
    const check = () => checkSession(envelope, server, nkey, parseTime(now));
    expect(await refusal(check)).toBe(error);
    if (seed === undefined) return;
    const purpose: Purpose = use ?? 'everything';
    expect(await check()).toMatchObject({ primary, device: device ?? undefined, purpose });
    const [createdAt, expiresAt] = [parseTime(file.created_at), parseTime(file.expires_at)];
    const terms = { primary, session, server, purpose, createdAt, expiresAt };
    expect(await createSession(terms, key(seed))).toBe(envelope);
  });
});

describe('sealed-messages.json', () => {
  const NOW = parseTime('2026-05-25T03:00:00Z');
  const file = vectors<{
    valid: { to: string; seed: string; sealed: Json; ephemeral: string; opens_to: Json }[];
    refused: { name: string; seed: string; sealed: Json; error: string }[];
  }>('sealed-messages.json');
  test.each(file.valid)('message to $to: $ephemeral', async (case_) => {
    const sealed = parseSealed(JSON.stringify(case_.sealed));
    const me = key(case_.seed);
    const expected = await parseSigned(JSON.stringify(case_.opens_to), 'message');
    expect(envelopeValue(await openEnvelope(sealed, me))).toEqual(envelopeValue(expected));
    expect(await open(sealed, me, NOW)).toEqual(messageFromSigned(expected));
    expect(sealed.enc).toEqual(x25519.getPublicKey(bytes(case_.ephemeral)));
    expect(sealedText(sealed)).toBe(canonicalText(case_.sealed));
    expect(transportId(sealed)).toMatch(/^[0-9a-f]{64}$/);
  });
  test.each(file.refused)('$name', async ({ seed, sealed, error }) => {
    expect(await refusal(async () => open(parseSealed(JSON.stringify(sealed)), key(seed), NOW))).toBe(error);
  });
});

describe('bodies.json', () => {
  const { cases } = vectors<{ cases: { name: string; body: Json; read?: Json; error?: string }[] }>(
    'bodies.json',
  );
  test.each(cases)('$name', async ({ body, read, error }) => {
    if (read !== undefined) expect(bodyValue(readBody(body))).toEqual(read);
    expect(await refusal(() => readBody(body))).toBe(error ?? null);
  });
});

describe('sigchain.json', () => {
  const file = vectors<{
    primary: Primary;
    events: Json[];
    heads: string[];
    states: { head: string; claims: string[]; devices: string[]; successor: string | null }[];
    refused: { name: string; after: number; event: Json; error: string }[];
  }>('sigchain.json');
  const events = file.events.map((event) => JSON.stringify(event));

  test.each([...events.keys()])('event %i', async (index) => {
    const chain = new Chain(file.primary);
    for (const event of events.slice(0, index + 1)) await chain.append(event);
    const devices = chain.devices.map(([device]) => device);
    const { head, claims, successor = null } = chain;
    expect(head).toBe(file.heads[index]);
    expect({ head, claims, devices, successor }).toEqual(file.states[index]);
    expect(Chain.from(chain.state()).state()).toEqual(chain.state());
  });
  test.each(file.refused)('$name', async ({ after, event, error }) => {
    const chain = new Chain(file.primary);
    for (const event of events.slice(0, after)) await chain.append(event);
    const before = chain.state();
    expect(await refusal(() => chain.append(JSON.stringify(event)))).toBe(error);
    expect(chain.state()).toEqual(before);
  });
  test('bundles of the events', async () => {
    const lines = toLines(events);
    for (const bundle of [lines, pack(lines)]) {
      const chain = new Chain(file.primary);
      for (const event of readBundle(bundle)) await chain.appendDownloaded(event);
      expect(chain.head).toBe(file.heads.at(-1));
    }
  });
});
