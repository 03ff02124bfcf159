// What can be asked: everything that one of the two implementations writes and the other reads. Documents are texts.
import { pack, readBundle } from '../src/crypto/bundle.ts';
import { fromHex, toHex, utf8, type Bytes } from '../src/crypto/bytes.ts';
import { canonicalText } from '../src/crypto/canonical.ts';
import { Chain } from '../src/crypto/chain.ts';
import { createClaim, parseClaim } from '../src/crypto/claim.ts';
import { compactClaim, decodeClaim, markdownClaim, txtPieces } from '../src/crypto/claim-forms.ts';
import { findClaims } from '../src/crypto/claim-search.ts';
import { createSigned, envelopeText, parseSigned, type Tag } from '../src/crypto/envelope.ts';
import { Fault } from '../src/crypto/fault.ts';
import { parseFullHandle, parseHandle } from '../src/crypto/handle.ts';
import { parseIdentifier } from '../src/crypto/identifier.ts';
import { parse, type JsonObject } from '../src/crypto/json.ts';
import { SecretKey, x25519Public, type Signer } from '../src/crypto/keys.ts';
import { messageFromSigned, messagePayload } from '../src/crypto/message.ts';
import { NostrSecret } from '../src/crypto/nostr-signature.ts';
import { deviceProof, readOp, successorProof } from '../src/crypto/op.ts';
import { parsePhrase, phraseOf } from '../src/crypto/phrase.ts';
import { fromNkey, nkeyOf, parseEd25519, parsePrimary, verify } from '../src/crypto/primary.ts';
import { checkProfile, createProfile } from '../src/crypto/profile.ts';
import { checkRegistration, createRegistration } from '../src/crypto/registration.ts';
import { checkRequest, signRequest } from '../src/crypto/request-auth.ts';
import { open, parseSealed, seal, sealedText, transportId } from '../src/crypto/sealed.ts';
import { checkSession, createSession } from '../src/crypto/session.ts';
import { parseTime } from '../src/crypto/timestamp.ts';
import { faces } from './faces.ts';

/** A question: what is asked, and what it is asked about. */
export type Question = { ask: string } & Given;

/** What the other side knows to be there, for each question. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the questions of a test, of as many shapes as there are
export type Given = Record<string, any>;

export const answers: Record<string, (given: Given) => unknown> = {
  json: ({ text }) => canonicalText(parse(text)),
  time: ({ text }) => parseTime(text),
  handle: ({ text }) => parseHandle(text),
  full_handle: ({ text }) => ({ ...parseFullHandle(text) }),
  identifier: ({ text }) => parseIdentifier(text),
  primary: ({ text }) => parsePrimary(text),
  from_nkey: ({ text }) => fromNkey(text),
  verify: async ({ primary, message, signature }) =>
    verify(parsePrimary(primary), bytes(message), bytes(signature)),
  x25519: ({ primary }) => toHex(x25519Public(parseEd25519(primary))),
  key: ({ seed }) => {
    const key = SecretKey.fromSeed(bytes(seed));
    return { primary: key.primary, nkey: nkeyOf(key.primary), x25519: toHex(key.x25519Secret()) };
  },
  phrase: ({ text }) => toHex(parsePhrase(text).seed),
  phrase_of: ({ entropy }) => phraseOf(bytes(entropy)),

  sign: async ({ tag, payload, by }) =>
    envelopeText(await createSigned(tag as Tag, parse(payload) as JsonObject, signer(by))),
  signed: async ({ tag, text }) => envelopeText(await parseSigned(text, tag as Tag)),
  register: ({ handle, server, now, by }) => createRegistration(handle, server, now, secret(by)),
  registration: async ({ text, server, now }) => (await checkRegistration(text, server, now)).handle,
  session: ({ primary, session, server, from, to, wake, by }) => {
    const purpose = wake ? 'wake' : 'everything';
    return createSession({ primary, session, server, purpose, createdAt: from, expiresAt: to }, secret(by));
  },
  check_session: async ({ text, server, nkey, now }) => {
    const { primary, purpose } = await checkSession(text, server, nkey, now);
    return { primary, wake: purpose === 'wake' };
  },
  profile: ({ name, about, now, by }) =>
    createProfile({ displayName: name, about, updatedAt: now }, secret(by)),
  check_profile: async ({ text, now }) => {
    const { displayName = null, about = null } = await checkProfile(text, now);
    return { name: displayName, about };
  },
  authorise: ({ text, now, by }) => signRequest(text, now, secret(by)),
  check_request: ({ header, text, primary, now }) => checkRequest(header, text, primary, now),

  seal: async ({ signed, random, by }) => {
    const message = messageFromSigned(await parseSigned(signed, 'message'));
    return sealedText(await seal(message, secret(by), bytes(random)));
  },
  open: async ({ text, seed, now }) => {
    const message = await open(parseSealed(text), SecretKey.fromSeed(bytes(seed)), now);
    return canonicalText(messagePayload(message));
  },
  transport_id: ({ text }) => transportId(parseSealed(text)),

  claim: ({ subject, now, end, by }) =>
    createClaim(parseIdentifier(subject), now, end ?? undefined, signer(by)),
  parse_claim: async ({ text }) => (await parseClaim(text)).subject,
  forms: ({ text }) => {
    const compact = compactClaim(text);
    return [text, compact, markdownClaim(text), markdownClaim(compact), txtPieces(compact).join('')];
  },
  decode: ({ text }) => decodeClaim(text),
  find: ({ text }) => findClaims(text),

  device_proof: ({ primary, by }) => deviceProof(primary, secret(by)),
  successor_proof: ({ primary, by }) => successorProof(primary, secret(by)),
  sign_next: async ({ primary, events, op, payload, now, by }) => {
    const { chain } = await follow(primary, events);
    return chain.signNext(readOp(op, parse(payload) as JsonObject), now, signer(by));
  },
  follow: async ({ primary, events }) => {
    const { chain, fault } = await follow(primary, events);
    const { length, head = null, claims, devices, successor = null } = chain;
    return { length, head, claims, devices, successor, fault };
  },
  pack: ({ lines }) => pack(lines),
  bundle: ({ text }) => readBundle(text),

  ...faces,
};

/** A chain of a reader's, as far as its events hold. */
async function follow(primary: string, events: string[]) {
  const chain = new Chain(parsePrimary(primary));
  for (const event of events) {
    try {
      await chain.appendDownloaded(event);
    } catch (error) {
      if (error instanceof Fault) return { chain, fault: error.code };
      throw error;
    }
  }
  return { chain, fault: null };
}

/** Who signs: `ed25519` or `nostr`, and 32 bytes in hex. */
type By = [system: string, secret: string];

function signer([system, hex]: By): Signer {
  return system === 'nostr' ? new NostrSecret(bytes(hex)) : SecretKey.fromSeed(bytes(hex));
}

function secret([, hex]: By): SecretKey {
  return SecretKey.fromSeed(bytes(hex));
}

function bytes(hex: string): Bytes {
  return fromHex(hex, hex.length / 2) ?? utf8('');
}
