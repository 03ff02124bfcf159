// The vault: the identity's seed, its phrase and the data key, under a key that grows from the passphrase.
import { fromUtf8, utf8, type Bytes } from '../crypto/bytes.ts';
import { boxKey, openBox, sealBox, type Box } from './box.ts';
import { StorageFault } from './fault.ts';

/** How a passphrase becomes a key: stored with what it protects, so that it can be changed later. */
export type Derivation =
  | { name: 'argon2id'; memory: number; passes: number; lanes: number; salt: Bytes }
  | { name: 'pbkdf2-sha256'; passes: number; salt: Bytes };

/** 32 bytes from a passphrase; in a worker, for it takes a while. */
export type Derive = (passphrase: string, derivation: Derivation) => Promise<Bytes>;

/** What an account keeps secret. */
export interface Secrets {
  /** 32 bytes: the identity itself. */
  seed: Bytes;
  /** The words as the person has them; none for a seed that came as hex. */
  phrase: string | undefined;
  /** 32 random bytes, from which the keys of what is stored grow. */
  data: Bytes;
}

export interface Vault {
  version: 1;
  derivation: Derivation;
  seed: Box;
  phrase: Box | undefined;
  data: Box;
}

/** Wraps secrets under 32 bytes that were derived, or that a device has given: each in a box of its own. */
export async function wrap(secret: Bytes, primary: string, secrets: Secrets) {
  const key = await boxKey(secret);
  const { seed, phrase, data } = secrets;
  return {
    seed: await sealBox(key, placeOf(primary, 'seed'), seed),
    phrase: phrase ? await sealBox(key, placeOf(primary, 'phrase'), utf8(phrase)) : undefined,
    data: await sealBox(key, placeOf(primary, 'data'), data),
  };
}

/** The secrets again; `malformed` for another key. */
export async function unwrap(
  secret: Bytes,
  primary: string,
  wrapped: { seed: Box; phrase: Box | undefined; data: Box },
): Promise<Secrets> {
  const key = await boxKey(secret);
  const phrase = wrapped.phrase && (await openBox(key, placeOf(primary, 'phrase'), wrapped.phrase));
  return {
    seed: await openBox(key, placeOf(primary, 'seed'), wrapped.seed),
    phrase: phrase && fromUtf8(phrase),
    data: await openBox(key, placeOf(primary, 'data'), wrapped.data),
  };
}

/** A vault that opens with the passphrase. */
export async function createVault(
  passphrase: string,
  primary: string,
  secrets: Secrets,
  derivation: Derivation,
  derive: Derive,
): Promise<Vault> {
  const secret = await derive(normalised(passphrase), derivation);
  try {
    return { version: 1, derivation, ...(await wrap(secret, primary, secrets)) };
  } finally {
    secret.fill(0);
  }
}

/** What the vault holds; `wrong_passphrase`. */
export async function openVault(
  passphrase: string,
  primary: string,
  vault: Vault,
  derive: Derive,
): Promise<Secrets> {
  const secret = await derive(normalised(passphrase), vault.derivation);
  try {
    return await unwrap(secret, primary, vault);
  } catch (error) {
    throw new StorageFault('wrong_passphrase', { cause: error });
  } finally {
    secret.fill(0);
  }
}

/** The data key under one that grows from the seed: whoever brings the identity back has what this browser keeps, too. */
export async function wrapData({ seed, data }: Secrets, primary: string): Promise<Box> {
  return sealBox(await seedKey(seed), placeOf(primary, 'recovery'), data);
}

/** The data key again; `malformed` for another seed. */
export async function unwrapData(seed: Bytes, primary: string, box: Box): Promise<Bytes> {
  return openBox(await seedKey(seed), placeOf(primary, 'recovery'), box);
}

/** The same passphrase from another keyboard may come in other code points. */
export function normalised(passphrase: string): string {
  return passphrase.normalize('NFKC');
}

export function wipe(secrets: Secrets): void {
  secrets.seed.fill(0);
  secrets.data.fill(0);
}

async function seedKey(seed: Bytes): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', seed, 'HKDF', false, ['deriveKey']);
  const derivation = {
    name: 'HKDF',
    hash: 'SHA-256',
    salt: new Uint8Array(),
    info: utf8('kez-web-recovery-1'),
  };
  const type = { name: 'AES-GCM', length: 256 };
  return crypto.subtle.deriveKey(derivation, material, type, false, ['encrypt', 'decrypt']);
}

function placeOf(primary: string, what: string): string {
  return `kez-vault-1|${primary}|${what}`;
}
