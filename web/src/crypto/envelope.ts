// Signed envelopes: a payload, the key that speaks and its signature (protocol section 3).
import { fromHex, toHex, type Bytes } from './bytes.ts';
import { canonical, canonicalText } from './canonical.ts';
import { Fault } from './fault.ts';
import { isObject, parse, type Json, type JsonObject } from './json.ts';
import type { Signer } from './keys.ts';
import * as members from './payload.ts';
import { algorithm, isEd25519, verify, type Ed25519Primary, type Primary } from './primary.ts';

const VERSION = 1;

/** What an envelope is for: its `kez` member, and its payload's `type` and rules. */
const TAGS = {
  handle_registration: { type: 'kez.chat.handle_registration', takesDevices: false, takesEveryKey: false },
  claim: { type: 'kez.claim', takesDevices: false, takesEveryKey: true },
  sigchain_event: { type: 'kez.sigchain.event', takesDevices: false, takesEveryKey: true },
  message: { type: 'kez.chat.message', takesDevices: true, takesEveryKey: false },
  session: { type: 'kez.chat.session', takesDevices: true, takesEveryKey: false },
  profile: { type: 'kez.chat.profile', takesDevices: false, takesEveryKey: false },
} as const;

export type Tag = keyof typeof TAGS;

/** An envelope whose signature holds: only the functions below make one. */
export interface Signed {
  readonly tag: Tag;
  /** What is signed, with the members that this version does not know. */
  readonly payload: JsonObject;
  /** The identity that speaks. */
  readonly primary: Primary;
  /** The device that signed for it, which must be active in its sigchain: that is for the caller to check. */
  readonly device: Ed25519Primary | undefined;
  /** The key that signed: the device, or else the primary. */
  readonly key: Primary;
  readonly signature: Bytes;
}

/** Reads an envelope's text and checks its signature, all of protocol section 3 in its order. */
export async function parseSigned(envelope: string | Uint8Array, expected: Tag): Promise<Signed> {
  return signedFromValue(parse(envelope), expected);
}

/** Like `parseSigned`, for a value that `parse` of `json.ts` has read. */
export async function signedFromValue(envelope: Json, expected: Tag): Promise<Signed> {
  const shape = readShape(envelope, expected);
  if (shape.tag !== expected || shape.type !== TAGS[expected].type) throw new Fault('wrong_envelope');
  if (shape.version !== VERSION) throw new Fault('unsupported_version');
  const { primary, device, key, payload } = shape;
  const isSupported = [primary, device, key].every((key) => key === undefined || takes(expected, key));
  // Also the other system's algorithm, which is none for this key.
  if (!isSupported || shape.algorithm !== algorithm(key)) throw new Fault('unsupported_key');
  if (key !== (device ?? primary)) throw new Fault('key_mismatch');
  const signature = fromHex(shape.signature, 64);
  if (!signature || !(await verify(key, canonical(payload), signature))) throw new Fault('bad_signature');
  return { tag: expected, payload, primary, device: device as Ed25519Primary | undefined, key, signature };
}

/**
 * Signs a payload. `type` and `version` are set; `primary` becomes the signer's own unless the payload names one, in which
 * case its `device` should be the signer.
 */
export async function createSigned(tag: Tag, payload: JsonObject, signer: Signer): Promise<Signed> {
  const primary = (payload['primary'] ?? signer.primary) as Primary;
  const signed = members.payload({ ...payload, type: TAGS[tag].type, version: VERSION, primary });
  const device = TAGS[tag].takesDevices ? (signed['device'] as Ed25519Primary | undefined) : undefined;
  const signature = await signer.sign(canonical(signed));
  return { tag, payload: signed, primary, device, key: signer.primary, signature };
}

/** The envelope as a JSON value. */
export function envelopeValue({ tag, payload, key, signature }: Signed): JsonObject {
  return { kez: tag, payload, signature: { alg: algorithm(key), key, sig: toHex(signature) } };
}

/** The envelope's text: JCS of the whole, signature included. */
export function envelopeText(signed: Signed): string {
  return canonicalText(envelopeValue(signed));
}

/** The primary of a tag that takes Ed25519 keys only. */
export function ed25519Of(signed: Signed): Ed25519Primary {
  if (!isEd25519(signed.primary)) throw new Fault('unsupported_key');
  return signed.primary;
}

function takes(tag: Tag, key: Primary): boolean {
  return TAGS[tag].takesEveryKey || isEd25519(key);
}

/** What an envelope of the right shape says, of which nothing else is known yet. */
function readShape(envelope: Json, expected: Tag) {
  if (!isObject(envelope)) throw new Fault('malformed');
  const payload = members.object(envelope, 'payload');
  const signature = members.object(envelope, 'signature');
  if (Object.keys(envelope).length !== 3 || Object.keys(signature).length !== 3) throw new Fault('malformed');
  const namesDevice = TAGS[expected].takesDevices && members.has(payload, 'device');
  return {
    payload,
    tag: members.text(envelope, 'kez'),
    type: members.text(payload, 'type'),
    version: members.integer(payload, 'version'),
    primary: keyOf(payload, 'primary', expected),
    device: namesDevice ? keyOf(payload, 'device', expected) : undefined,
    algorithm: members.text(signature, 'alg'),
    key: keyOf(signature, 'key', expected),
    signature: members.text(signature, 'sig'),
  };
}

/** A key's text. Of a system that the tag does not take, nothing but the system counts: refusing it comes later. */
function keyOf(object: JsonObject, name: string, tag: Tag): Primary {
  const text = members.text(object, name);
  return !TAGS[tag].takesEveryKey && text.startsWith('nostr:')
    ? (text as Primary)
    : members.primary(object, name);
}
