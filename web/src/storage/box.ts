// Encryption at rest: AES-256-GCM boxes, each with a fresh nonce and bound to where it lies.
import { concat, fromUtf8, toHex, utf8, type Bytes } from '../crypto/bytes.ts';
import { StorageFault } from './fault.ts';

/** Something encrypted. */
export interface Box {
  nonce: Bytes;
  sealed: Bytes;
}

/** The two keys of an account's data, which grow from one random data key. Neither can be read back. */
export interface DataKeys {
  /** AES-GCM. */
  data: CryptoKey;
  /** HMAC: names for what must be found without saying what it is. */
  tags: CryptoKey;
}

const NONCE = 12;

/** Encrypts; `place` says where the box will lie, and it opens nowhere else. */
export async function sealBox(key: CryptoKey, place: string, content: Uint8Array): Promise<Box> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE));
  const parameters = { name: 'AES-GCM', iv: nonce, additionalData: utf8(place) };
  const sealed = await crypto.subtle.encrypt(parameters, key, new Uint8Array(content));
  return { nonce, sealed: new Uint8Array(sealed) };
}

/** Decrypts; `malformed` for another key, another place, or a box that was changed. */
export async function openBox(key: CryptoKey, place: string, box: Box): Promise<Bytes> {
  try {
    const parameters = { name: 'AES-GCM', iv: box.nonce, additionalData: utf8(place) };
    return new Uint8Array(await crypto.subtle.decrypt(parameters, key, box.sealed));
  } catch (error) {
    throw new StorageFault('malformed', { cause: error });
  }
}

/** The same for plain data. */
export async function sealValue(key: CryptoKey, place: string, value: unknown): Promise<Box> {
  return sealBox(key, place, utf8(JSON.stringify(value)));
}

/** What `sealValue` has sealed: whoever reads it knows its shape, for nobody else could write it. */
export async function openValue(key: CryptoKey, place: string, box: Box): Promise<unknown> {
  return JSON.parse(fromUtf8(await openBox(key, place, box))) as unknown;
}

/** A key for boxes from 32 secret bytes, which the caller wipes. */
export async function boxKey(secret: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', secret, 'AES-GCM', false, ['encrypt', 'decrypt']);
}

/** The keys of an account's data, from its 32 random bytes, which the caller wipes. */
export async function dataKeys(secret: Bytes): Promise<DataKeys> {
  const material = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey']);
  const derive = (info: string, type: AesKeyGenParams | HmacKeyGenParams, usages: KeyUsage[]) =>
    crypto.subtle.deriveKey(
      { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: utf8(info) },
      material,
      type,
      false,
      usages,
    );
  return {
    data: await derive('kez-web-data-1', { name: 'AES-GCM', length: 256 }, ['encrypt', 'decrypt']),
    tags: await derive('kez-web-tags-1', { name: 'HMAC', hash: 'SHA-256', length: 256 }, ['sign']),
  };
}

/** A name that says nothing to who has not the key: 128 bits of HMAC, in hex. */
export async function tagOf(key: CryptoKey, kind: string, name: string): Promise<string> {
  const mac = await crypto.subtle.sign('HMAC', key, concat(utf8(kind), Uint8Array.of(0), utf8(name)));
  return toHex(new Uint8Array(mac).subarray(0, 16));
}
