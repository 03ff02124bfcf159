// How Nostr keys are written: `npub1…`, and their secrets `nsec1…` (NIP-19).
import { bech32 } from '@scure/base';
import type { Bytes } from './bytes.ts';
import { Fault } from './fault.ts';

/** The key's 32 bytes in `npub1…`; `malformed` for every other text, and for another text of the same key. */
export function fromNpub(text: string): Bytes {
  const key = decode('npub', text);
  if (toNpub(key) !== text) throw new Fault('malformed');
  return key;
}

export function toNpub(key: Uint8Array): string {
  return bech32.encode('npub', bech32.toWords(key));
}

/** The 32 secret bytes in `nsec1…`. */
export function fromNsec(text: string): Bytes {
  return decode('nsec', text);
}

function decode(prefix: string, text: string): Bytes {
  const decoded = bech32.decodeUnsafe(text, 90);
  const bytes = decoded && decoded.prefix === prefix ? bech32.fromWordsUnsafe(decoded.words) : undefined;
  if (!bytes || bytes.length !== 32) throw new Fault('malformed');
  return new Uint8Array(bytes);
}
