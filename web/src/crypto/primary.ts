// Primaries: the keys that identities hang from, written `ed25519:<64 hex>` or `nostr:npub1…` (protocol section 1). They
// are texts everywhere in the client, and become bytes only where something is computed.
import { fromHex, toHex, type Bytes } from './bytes.ts';
import { verifyEd25519 } from './ed25519.ts';
import { Fault } from './fault.ts';
import { decodeNkey, encodeNkey } from './nkey.ts';
import { fromNpub } from './nostr.ts';

/** `ed25519:` and 64 lower-case hex digits: what chat takes. */
export type Ed25519Primary = `ed25519:${string}`;
/** `nostr:npub1…`: taken by claims and sigchains only. */
export type NostrPrimary = `nostr:${string}`;
export type Primary = Ed25519Primary | NostrPrimary;

/** Reads a primary of either system; `malformed` for every other text. */
export function parsePrimary(identifier: string): Primary {
  const key = identifier.startsWith('ed25519:') ? fromHex(identifier.slice(8), 32) : undefined;
  if (key) return identifier as Primary;
  if (!identifier.startsWith('nostr:')) throw new Fault('malformed');
  fromNpub(identifier.slice(6));
  return identifier as Primary;
}

/** Reads an Ed25519 primary; `unsupported_key` for `nostr:…`, `malformed` for every other text. */
export function parseEd25519(identifier: string): Ed25519Primary {
  if (identifier.startsWith('nostr:')) throw new Fault('unsupported_key');
  return parsePrimary(identifier) as Ed25519Primary;
}

export function isEd25519(primary: Primary): primary is Ed25519Primary {
  return primary.startsWith('ed25519:');
}

/** The identity of an Ed25519 public key's 32 bytes. */
export function primaryOf(key: Uint8Array): Ed25519Primary {
  return `ed25519:${toHex(key)}`;
}

/** The 64 hex digits of an Ed25519 primary, as subjects carry it. */
export function hexOf(primary: Ed25519Primary): string {
  return primary.slice(8);
}

/** The public key's 32 bytes. */
export function keyBytes(primary: Primary): Bytes {
  const key = isEd25519(primary) ? fromHex(hexOf(primary), 32) : fromNpub(primary.slice(6));
  if (!key) throw new Fault('malformed');
  return key;
}

/** The key as a NATS user nkey, `U…`. */
export function nkeyOf(primary: Ed25519Primary): string {
  return encodeNkey(keyBytes(primary));
}

/** The primary in a NATS user nkey; `malformed` unless it is the canonical text of type `U`. */
export function fromNkey(text: string): Ed25519Primary {
  return primaryOf(decodeNkey(text));
}

/** The signature algorithm's name, as it stands in envelopes (protocol section 3). */
export function algorithm(primary: Primary): string {
  return isEd25519(primary) ? 'ed25519-sha512-jcs' : 'nostr-secp256k1-schnorr-sha256-jcs';
}

/** Whether the primary signed the message, under its algorithm's rule. */
export async function verify(primary: Primary, message: Bytes, signature: Bytes): Promise<boolean> {
  const key = keyBytes(primary);
  if (isEd25519(primary)) return verifyEd25519(key, message, signature);
  // Seldom needed, so loaded late.
  const { verifyNostr } = await import('./nostr-signature.ts');
  return verifyNostr(key, message, signature);
}
