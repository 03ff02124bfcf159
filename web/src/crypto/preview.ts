// The preview of a picture as it stands in a profile: a PNG of 64 × 64 pixels as a data URL, and the salt of its shuffle.
import { base64 } from '@scure/base';
import { fromBase64url, sameBytes, toBase64url, type Bytes } from './bytes.ts';
import { Fault } from './fault.ts';

/** Width and height of every preview. */
export const PREVIEW_SIZE = 64;

/** In base64, the beginning of a PNG of 64 × 64 pixels in RGB, not interlaced: its first 33 bytes, their check sum included. */
const HEAD = 'iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC\\+aJ';
const FORM = new RegExp(
  `^(data:image/png;base64,(${HEAD}[A-Za-z0-9+/]+={0,2}))#kez-visual-v1:([A-Za-z0-9_-]{22})$`,
);
/** Its last chunk, which is empty. */
const END = Uint8Array.of(0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82);

export interface Preview {
  /** The PNG as a data URL, which an `<img>` may be given: it is small in every way. */
  url: string;
  /** 16 bytes, with which whoever has the picture's key can undo the shuffle. */
  salt: Bytes;
}

/** Reads a preview; `malformed` for everything but the one form, and for an image of any other kind or size. */
export function parsePreview(text: string): Preview {
  const [, url = '', data = '', salt = ''] = FORM.exec(text) ?? [];
  if (!sameBytes(fromBase64(data).subarray(-END.length), END)) throw new Fault('malformed');
  return { url, salt: fromBase64url(salt) };
}

/** The preview's text. */
export function previewText(png: Bytes, salt: Bytes): string {
  return `data:image/png;base64,${base64.encode(png)}#kez-visual-v1:${toBase64url(salt)}`;
}

function fromBase64(text: string): Bytes {
  try {
    return new Uint8Array(base64.decode(text));
  } catch {
    throw new Fault('malformed');
  }
}
