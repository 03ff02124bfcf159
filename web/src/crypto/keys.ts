// Secret keys: what makes someone who they are. They sign, and leave memory when they are told to.
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { toBase64url, type Bytes } from './bytes.ts';
import { isStrictEncoding } from './ed25519.ts';
import { Fault } from './fault.ts';
import { importPair, unpack, type PortablePair } from './portable.ts';
import { keyBytes, primaryOf, type Ed25519Primary, type Primary } from './primary.ts';

/** Whatever can sign as an identity: a secret key, a device key of the browser's, a Nostr key. */
export interface Signer {
  readonly primary: Primary;
  sign(message: Bytes): Promise<Bytes>;
}

/** A signer of the kind that chat takes. */
export interface Ed25519Signer extends Signer {
  readonly primary: Ed25519Primary;
}

/** Whoever can open what is sealed to an identity: its secret key, or a pair of the browser's own that shows nothing. */
export interface Opener {
  readonly primary: Ed25519Primary;
  openingPair(): Promise<CryptoKeyPair>;
  /** The same as it is carried to workers and into IndexedDB. */
  portablePair(): Promise<PortablePair>;
}

/** An Ed25519 secret key, grown from its 32-byte seed (RFC 8032, 5.1.5). */
export class SecretKey implements Ed25519Signer, Opener {
  readonly primary: Ed25519Primary;
  readonly #seed: Bytes;

  private constructor(seed: Bytes) {
    this.#seed = seed;
    this.primary = primaryOf(ed25519.getPublicKey(seed));
  }

  /** The key that grows from these 32 secret bytes, of which it keeps a copy. */
  static fromSeed(seed: Uint8Array): SecretKey {
    if (seed.length !== 32) throw new Fault('malformed');
    return new SecretKey(new Uint8Array(seed));
  }

  async sign(message: Bytes): Promise<Bytes> {
    return this.signNow(message);
  }

  /** Signs without waiting, as the broker's question needs. */
  signNow(message: Bytes): Bytes {
    this.#mustBeKnown();
    return new Uint8Array(ed25519.sign(message, this.#seed));
  }

  /** A copy of the 32 secret bytes; whoever asks wipes it. */
  seed(): Bytes {
    this.#mustBeKnown();
    return this.#seed.slice();
  }

  /** The X25519 secret key: clamp(SHA-512(seed)[0..32]) (protocol section 1). */
  x25519Secret(): Bytes {
    this.#mustBeKnown();
    return new Uint8Array(ed25519.utils.toMontgomerySecret(this.#seed));
  }

  /** The X25519 pair, imported once: the browser uses it and does not show it. */
  async openingPair(): Promise<CryptoKeyPair> {
    return (await this.#imported()).pair;
  }

  async portablePair(): Promise<PortablePair> {
    return (await this.#imported()).portable;
  }

  /** Wipes the seed: the key never signs or opens again. */
  forget(): void {
    this.#seed.fill(0);
    this.#isForgotten = true;
    this.#pair = undefined;
  }

  #pair: ReturnType<typeof importX25519> | undefined;

  #isForgotten = false;

  #imported(): ReturnType<typeof importX25519> {
    this.#mustBeKnown();
    return (this.#pair ??= importX25519(this.x25519Secret()));
  }

  #mustBeKnown(): void {
    if (this.#isForgotten) throw new Error('this key was forgotten when the client was locked');
  }
}

/** A key of the browser's own, which signs and never shows its secret: how this device speaks for an identity. */
export class DeviceKey implements Ed25519Signer {
  readonly primary: Ed25519Primary;
  /** The pair, as IndexedDB keeps it. */
  readonly pair: CryptoKeyPair;

  private constructor(pair: CryptoKeyPair, publicKey: Uint8Array) {
    this.pair = pair;
    this.primary = primaryOf(publicKey);
  }

  /** The device of a pair that was generated as `Ed25519`, its private key not extractable. */
  static async fromPair(pair: CryptoKeyPair): Promise<DeviceKey> {
    return new DeviceKey(pair, new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)));
  }

  async sign(message: Bytes): Promise<Bytes> {
    return new Uint8Array(await crypto.subtle.sign('Ed25519', this.pair.privateKey, message));
  }
}

/** What opens an identity's mail without its secret key: as IndexedDB and workers carry it. */
export class OpeningKey implements Opener {
  readonly primary: Ed25519Primary;
  readonly #portable: PortablePair;
  #pair: Promise<CryptoKeyPair> | undefined;

  constructor(primary: Ed25519Primary, portable: PortablePair) {
    this.primary = primary;
    this.#portable = portable;
  }

  openingPair(): Promise<CryptoKeyPair> {
    return (this.#pair ??= unpack(this.#portable));
  }

  async portablePair(): Promise<PortablePair> {
    return this.#portable;
  }
}

/** The browser's own pair of an X25519 secret, which is wiped. */
function importX25519(secret: Bytes): ReturnType<typeof importPair> {
  const [x, d] = [toBase64url(x25519.getPublicKey(secret)), toBase64url(secret)];
  secret.fill(0);
  return importPair({ kty: 'OKP', crv: 'X25519', x, d });
}

/**
 * The X25519 public key of an identity: (1 + y) / (1 − y) (protocol section 1). `malformed` when the bytes are not the
 * canonical encoding of a point, or the point is of small order.
 */
export function x25519Public(primary: Ed25519Primary): Bytes {
  const key = keyBytes(primary);
  if (!isStrictEncoding(key)) throw new Fault('malformed');
  try {
    return new Uint8Array(ed25519.utils.toMontgomery(key));
  } catch {
    throw new Fault('malformed'); // No point of the curve.
  }
}
