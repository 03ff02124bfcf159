// The padding that hides a message's length: `0x80`, then zeros to a multiple of 256 bytes.
import type { Bytes } from './bytes.ts';
import { Fault } from './fault.ts';

export const BLOCK = 256;

const MARK = 0x80;

export function pad(text: Bytes): Bytes {
  const padded = new Uint8Array(Math.ceil((text.length + 1) / BLOCK) * BLOCK);
  padded.set(text);
  padded[text.length] = MARK;
  return padded;
}

/** The text before the padding, which must be the one that `pad` adds. */
export function unpad(padded: Bytes): Bytes {
  const mark = padded.findLastIndex((byte) => byte !== 0);
  const fits = padded[mark] === MARK && padded.length % BLOCK === 0 && padded.length - mark <= BLOCK;
  if (!fits) throw new Fault('malformed');
  return padded.subarray(0, mark);
}
