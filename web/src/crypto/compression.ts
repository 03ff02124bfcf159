// Zstandard as base64url behind a prefix, which strangers send, so what it becomes is bounded.
import { fromBase64url, toBase64url, type Bytes } from './bytes.ts';
import { Fault } from './fault.ts';
import { frameOf, unframe } from './zstd/frame.ts';

/** The text `prefix` + base64url(zstd(bytes)), without padding characters. */
export function toCompressedText(prefix: string, bytes: Uint8Array): string {
  return prefix + toBase64url(frameOf(bytes));
}

/** The bytes in a text that any compressor has made; `too_large` beyond the limit, `malformed` for what is not one frame. */
export function fromCompressedText(prefix: string, text: string, limit: number): Bytes {
  if (!text.startsWith(prefix)) throw new Fault('malformed');
  return unframe(fromBase64url(text.slice(prefix.length)), limit);
}
