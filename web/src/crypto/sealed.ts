// Sealed messages: what a server carries without knowing who wrote what to whom (protocol section 8). Whoever holds the
// recipient's key opens every past message: this format is not forward-secret.
import { sha256 } from '@noble/hashes/sha2.js';
import { fromBase64url, toBase64url, toHex, utf8, utf8Length, type Bytes } from './bytes.ts';
import { canonicalText } from './canonical.ts';
import { createSigned, envelopeText, parseSigned, type Signed } from './envelope.ts';
import { Fault } from './fault.ts';
import { hpkeOpen, hpkeSeal } from './hpke.ts';
import { isObject, parse, type Json } from './json.ts';
import type { Ed25519Signer, Opener } from './keys.ts';
import { messageFromSigned, messagePayload, type Message } from './message.ts';
import { BLOCK, pad, unpad } from './padding.ts';
import * as members from './payload.ts';

/** The longest sealed message, as text, in bytes. */
export const MAX_SEALED_BYTES = 256 * 1024;

const VERSION = 2;
/** The length of AES-256-GCM's tag. */
const TAG = 16;
const MAX_AGE = 7 * 24 * 60 * 60;
const MAX_AHEAD = 5 * 60;

/** A message sealed to someone. */
export interface Sealed {
  /** The ephemeral public key, 32 bytes. */
  enc: Bytes;
  /** The ciphertext: a multiple of 256 bytes, and the 16 bytes of its tag. */
  ct: Bytes;
}

/** Reads a sealed message: `too_large`, `malformed`, then `unsupported_version`. */
export function parseSealed(text: string): Sealed {
  if (utf8Length(text) > MAX_SEALED_BYTES) throw new Fault('too_large');
  return sealedFromValue(parse(text));
}

/** Like `parseSealed`, for a value that `parse` of `json.ts` has read as a part of something shorter than that. */
export function sealedFromValue(value: Json): Sealed {
  if (!isObject(value) || Object.keys(value).length !== 3) throw new Fault('malformed');
  const version = members.integer(value, 'v');
  const enc = fromBase64url(members.text(value, 'enc'));
  const ct = fromBase64url(members.text(value, 'ct'));
  const fits = enc.length === 32 && ct.length >= BLOCK + TAG && ct.length % BLOCK === TAG;
  if (!fits) throw new Fault('malformed');
  if (version !== VERSION) throw new Fault('unsupported_version');
  return { enc, ct };
}

/** The sealed message's JCS text, `{"ct":"…","enc":"…","v":2}`. */
export function sealedText({ enc, ct }: Sealed): string {
  return canonicalText({ v: VERSION, enc: toBase64url(enc), ct: toBase64url(ct) });
}

/** The message's id for retries that must not duplicate: lower-case hex SHA-256 of its JCS text. */
export function transportId(sealed: Sealed): string {
  return toHex(sha256(utf8(sealedText(sealed))));
}

/**
 * Signs a message and seals it to its recipient. `random` must be 32 fresh bytes from the system's random source, never used
 * before. `key_mismatch` for another's message, `malformed` for a recipient that is no usable key, `too_large`.
 */
export async function seal(message: Message, signer: Ed25519Signer, random: Bytes): Promise<Sealed> {
  if (signer.primary !== (message.device ?? message.primary)) throw new Fault('key_mismatch');
  const signed = await createSigned('message', messagePayload(message), signer);
  const plaintext = pad(utf8(envelopeText(signed)));
  const sealed = await hpkeSeal(plaintext, message.to, random);
  plaintext.fill(0);
  if (sealedText(sealed).length > MAX_SEALED_BYTES) throw new Fault('too_large');
  return sealed;
}

/**
 * Opens a message that was sealed to me, in protocol section 8's order. Whether its id was seen before and whether its
 * device is active are the caller's to check.
 */
export async function open(sealed: Sealed, me: Opener, now: number): Promise<Message> {
  const message = await openArchived(sealed, me);
  const age = now - message.sentAt;
  if (age < -MAX_AHEAD || age > MAX_AGE) throw new Fault('stale');
  return message;
}

/** Opens a message from my own archive, however old it is. */
export async function openArchived(sealed: Sealed, me: Opener): Promise<Message> {
  const message = messageFromSigned(await openEnvelope(sealed, me));
  if (message.to !== me.primary) throw new Fault('wrong_recipient');
  return message;
}

/** Opens a message to the signed envelope inside, whoever it is written to. */
export async function openEnvelope({ enc, ct }: Sealed, me: Opener): Promise<Signed> {
  const plaintext = await hpkeOpen(enc, ct, me);
  try {
    return await parseSigned(unpad(plaintext), 'message');
  } finally {
    plaintext.fill(0);
  }
}
