// An X25519 pair that goes to workers and into IndexedDB. Some browsers (WebKit) use such keys and cannot carry them from one
// place to another: there it travels encrypted, beside a key of a kind that every browser carries. Either form shows nothing;
// the second can be made to by a script of this origin, which the first cannot.
import type { Bytes } from './bytes.ts';

export type PortablePair = CryptoKeyPair | WrappedPair;

export interface WrappedPair {
  /** The public key: its 32 bytes. */
  raw: Bytes;
  /** The private one, encrypted with AES-GCM under a key that the browser does not show. */
  wrapped: Bytes;
  iv: Bytes;
  by: CryptoKey;
}

/** Imports a pair from its JWK, and makes what stands for it elsewhere. */
export async function importPair(jwk: JsonWebKey): Promise<{ pair: CryptoKeyPair; portable: PortablePair }> {
  const { d: _, ...open } = jwk;
  const publicKey = await crypto.subtle.importKey('jwk', open, 'X25519', true, []);
  const privateKey = await crypto.subtle.importKey('jwk', jwk, 'X25519', false, ['deriveBits']);
  const pair = { publicKey, privateKey };
  return { pair, portable: travels(pair) ? pair : await wrap(jwk, publicKey) };
}

/** The pair that was carried here. */
export async function unpack(portable: PortablePair): Promise<CryptoKeyPair> {
  if ('privateKey' in portable) return portable;
  const { raw, wrapped, iv, by } = portable;
  const algorithm = { name: 'AES-GCM', iv };
  return {
    publicKey: await crypto.subtle.importKey('raw', raw, 'X25519', true, []),
    privateKey: await crypto.subtle.unwrapKey('jwk', wrapped, by, algorithm, 'X25519', false, ['deriveBits']),
  };
}

async function wrap(jwk: JsonWebKey, publicKey: CryptoKey): Promise<WrappedPair> {
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', publicKey));
  const by = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, [
    'wrapKey',
    'unwrapKey',
  ]);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const key = await crypto.subtle.importKey('jwk', jwk, 'X25519', true, ['deriveBits']);
  const wrapped = new Uint8Array(await crypto.subtle.wrapKey('jwk', key, by, { name: 'AES-GCM', iv }));
  return { raw, wrapped, iv, by };
}

function travels(pair: CryptoKeyPair): boolean {
  try {
    structuredClone(pair);
    return true;
  } catch {
    return false;
  }
}
