// Pictures in profiles: a small image under a random key of its own, which contacts get in a sealed message and the owner in
// the profile itself. Whoever has not the key sees at most a shuffled preview (`visual.ts`).
import { sha256 } from '@noble/hashes/sha2.js';
import { fromBase64url, toBase64url, toHex, utf8, utf8Length, type Bytes } from './bytes.ts';
import { Fault } from './fault.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import type { Opener } from './keys.ts';
import * as members from './payload.ts';
import { MAX_PICTURE_BYTES, type PictureType } from './picture-limits.ts';
import { parsePreview, type Preview } from './preview.ts';
import type { Ed25519Primary } from './primary.ts';
import { openArchived, sealedFromValue, sealedText, type Sealed } from './sealed.ts';

/** The longest ciphertext and the longest preview, as text in bytes. */
const MAX_CIPHERTEXT_TEXT = 32 * 1024;
const MAX_PREVIEW = 24 * 1024;
/** The length of AES-256-GCM's tag. */
const TAG = 16;

/** A profile's `picture`, well formed. */
export interface Picture {
  type: PictureType;
  /** 12 bytes. */
  nonce: Bytes;
  /** The image under AES-256-GCM. */
  ct: Bytes;
  /** Its key, sealed to the owner. */
  own: Sealed;
  /** For strangers; none when they see the identicon. */
  preview: Preview | undefined;
}

/**
 * Reads a profile's `picture`: its shape (`malformed`), how long its members are (`too_large`), then what they hold
 * (`malformed`). Members that are not known stay in the profile.
 */
export function readPicture(value: Json): Picture {
  if (!isObject(value)) throw new Fault('malformed');
  const [type, nonceText, ctText] = ['type', 'nonce', 'ct'].map((name) => members.text(value, name));
  const [own, previewText] = [members.object(value, 'own'), members.optionalText(value, 'preview')];
  const isShort =
    utf8Length(ctText ?? '') <= MAX_CIPHERTEXT_TEXT && utf8Length(previewText ?? '') <= MAX_PREVIEW;
  if (!isShort) throw new Fault('too_large');
  if (type !== 'image/webp' && type !== 'image/jpeg') throw new Fault('malformed');
  const [nonce, ct] = [fromBase64url(nonceText ?? ''), fromBase64url(ctText ?? '')];
  if (nonce.length !== 12 || ct.length <= TAG) throw new Fault('malformed');
  const preview = previewText === undefined ? undefined : parsePreview(previewText);
  return { type, nonce, ct, own: readOwn(own), preview };
}

/** The member of the profile. `preview` is its text, as `previewText` gives it. */
export function pictureValue(picture: Omit<Picture, 'preview'> & { preview?: string | undefined }): Json {
  const { type, nonce, ct, own, preview } = picture;
  return members.payload({
    type,
    nonce: toBase64url(nonce),
    ct: toBase64url(ct),
    own: JSON.parse(sealedText(own)) as JsonObject,
    preview,
  });
}

/** What a picture is called where its key is handed over: lower-case hex SHA-256 of the ciphertext. */
export function pictureHash(ct: Bytes): string {
  return toHex(sha256(ct));
}

/** Encrypts an image under a fresh key and a fresh nonce; `too_large`. */
export async function sealPicture(
  image: Bytes,
  primary: Ed25519Primary,
  { key, nonce }: { key: Bytes; nonce: Bytes },
): Promise<Bytes> {
  if (image.length > MAX_PICTURE_BYTES) throw new Fault('too_large');
  const aes = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt']);
  return new Uint8Array(await crypto.subtle.encrypt(parameters(nonce, primary), aes, image));
}

/** The image; `cannot_open` for another key, another owner, or bytes that were changed. */
export async function openPicture(
  { nonce, ct }: Pick<Picture, 'nonce' | 'ct'>,
  primary: Ed25519Primary,
  key: Bytes,
): Promise<Bytes> {
  try {
    const aes = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['decrypt']);
    return new Uint8Array(await crypto.subtle.decrypt(parameters(nonce, primary), aes, ct));
  } catch {
    throw new Fault('cannot_open');
  }
}

/** The key of my own picture, out of my own profile: `wrong_primary` if somebody else wrote it, `cannot_open` for another picture's. */
export async function openOwnKey({ own, ct }: Pick<Picture, 'own' | 'ct'>, me: Opener): Promise<Bytes> {
  const { primary, body } = await openArchived(own, me);
  if (primary !== me.primary) throw new Fault('wrong_primary');
  if (body.kind !== 'picture_key' || body.picture !== pictureHash(ct)) throw new Fault('cannot_open');
  return body.key;
}

function readOwn(value: Json): Sealed {
  try {
    return sealedFromValue(value);
  } catch {
    throw new Fault('malformed'); // Of another version, too: this one's pictures hold this one's messages.
  }
}

function parameters(nonce: Bytes, primary: Ed25519Primary): AesGcmParams {
  return { name: 'AES-GCM', iv: nonce, additionalData: utf8(`kez-picture-v1:${primary}`) };
}
