// What Nostr keys sign: BIP-340 on secp256k1. A file of its own, for few people have such a key and its curve is large.
import { schnorr } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { Bytes } from './bytes.ts';
import { Fault } from './fault.ts';
import { fromNsec, toNpub } from './nostr.ts';
import type { NostrPrimary } from './primary.ts';

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
    return new NostrSecret(fromNsec(text));
  }

  /** Signs without auxiliary randomness, so that the same message has one signature. */
  async sign(message: Bytes): Promise<Bytes> {
    return new Uint8Array(schnorr.sign(sha256(message), this.#secret, new Uint8Array(32)));
  }
}
