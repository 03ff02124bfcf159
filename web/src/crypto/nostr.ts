// Nostr keys: secp256k1 keys that sign with BIP-340 and are written as `npub1…` (NIP-19).
import { schnorr } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bech32 } from '@scure/base';
import type { Bytes } from './bytes.ts';
import { Fault } from './fault.ts';
import type { NostrPrimary } from './primary.ts';

/** The key's 32 bytes in `npub1…`; `malformed` for every other text, and for another text of the same key. */
export function fromNpub(text: string): Bytes {
  const key = decode('npub', text);
  if (toNpub(key) !== text) throw new Fault('malformed');
  return key;
}

export function toNpub(key: Uint8Array): string {
  return bech32.encode('npub', bech32.toWords(key));
}

/** BIP-340 over the message's SHA-256 (protocol section 3). */
export function verifyNostr(key: Bytes, message: Bytes, signature: Bytes): boolean {
  return schnorr.verify(signature, sha256(message), key);
}

/** A Nostr secret key, for claims and sigchains of Nostr identities. */
export class NostrSecret {
  readonly primary: NostrPrimary;
  readonly #secret: Bytes;

  /** The key of these 32 secret bytes; `malformed` for zero and for what is not below the curve's order. */
  constructor(secret: Bytes) {
    try {
      this.primary = `nostr:${toNpub(schnorr.getPublicKey(secret))}`;
    } catch {
      throw new Fault('malformed');
    }
    this.#secret = secret;
  }

  /** Reads `nsec1…`. */
  static fromNsec(text: string): NostrSecret {
    return new NostrSecret(decode('nsec', text));
  }

  /** Signs without auxiliary randomness, so that the same message has one signature. */
  async sign(message: Bytes): Promise<Bytes> {
    return new Uint8Array(schnorr.sign(sha256(message), this.#secret, new Uint8Array(32)));
  }
}

function decode(prefix: string, text: string): Bytes {
  const decoded = bech32.decodeUnsafe(text, 90);
  const bytes = decoded && decoded.prefix === prefix ? bech32.fromWordsUnsafe(decoded.words) : undefined;
  if (!bytes || bytes.length !== 32) throw new Fault('malformed');
  return new Uint8Array(bytes);
}
