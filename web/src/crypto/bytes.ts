// Bytes and the texts that stand for them: UTF-8, lower-case hex and base64url, each with one text for the same bytes.
import { base64urlnopad } from '@scure/base';
import { Fault } from './fault.ts';

/** Bytes of our own memory, as WebCrypto takes them. */
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text as UTF-8. A lone surrogate becomes U+FFFD: whoever must not lose it refuses it first. */
export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

/** The text in UTF-8, a byte-order mark included; `malformed` for other bytes. */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new Fault('malformed');
  }
}

/** How many bytes the text has in UTF-8. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let place = 0; place < text.length; place++) {
    const unit = text.charCodeAt(place);
    // Both halves of a pair count one more than their unit: four bytes. Every other unit beyond U+07FF is three.
    if (unit > 0x7f) length += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return length;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** The bytes as lower-case hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/** The bytes of exactly so many pairs of lower-case hexadecimal digits; none for every other text. */
export function fromHex(text: string, length: number): Bytes | undefined {
  if (text.length !== 2 * length || !/^[0-9a-f]*$/.test(text)) return undefined;
  return Uint8Array.from({ length }, (_, place) => Number.parseInt(text.slice(2 * place, 2 * place + 2), 16));
}

/** Base64url without padding characters. */
export function toBase64url(bytes: Uint8Array): string {
  return base64urlnopad.encode(bytes);
}

/** The bytes of a base64url text without padding characters; `malformed` unless it is the one text for them. */
export function fromBase64url(text: string): Bytes {
  try {
    return new Uint8Array(base64urlnopad.decode(text));
  } catch {
    throw new Fault('malformed');
  }
}

/** All of them in one. */
export function concat(...parts: Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}

/** Whether these are the same bytes. Not for secrets: it stops at the first difference. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, place) => byte === b[place]);
}

/** Orders texts as Rust does, by their bytes in UTF-8; JavaScript orders them by UTF-16, which differs beyond U+FFFF. */
export function compareUtf8(a: string, b: string): number {
  const [left, right] = [Array.from(a, codePoint), Array.from(b, codePoint)];
  const place = left.findIndex((point, place) => point !== right[place]);
  if (place < 0) return left.length - right.length;
  return (left[place] ?? 0) - (right[place] ?? -1);
}

function codePoint(character: string): number {
  return character.codePointAt(0) ?? 0;
}
