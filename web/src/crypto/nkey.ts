// NATS user nkeys: `U…`, the base32 form of an Ed25519 public key with a checksum.
import { base32nopad } from '@scure/base';
import { concat, type Bytes } from './bytes.ts';
import { Fault } from './fault.ts';

/** The prefix byte of user keys, which makes the text begin with `U`. */
const USER = 20 << 3;

/** Base32, without padding, of `0xA0 | 32 bytes | CRC-16/XMODEM, little-endian`. */
export function encodeNkey(key: Uint8Array): string {
  const raw = concat(Uint8Array.of(USER), key);
  const sum = crc16(raw);
  return base32nopad.encode(concat(raw, Uint8Array.of(sum & 0xff, sum >> 8)));
}

/** The public key in a user nkey, which must be the text that `encodeNkey` writes. */
export function decodeNkey(text: string): Bytes {
  let raw: Uint8Array;
  try {
    raw = base32nopad.decode(text);
  } catch {
    throw new Fault('malformed');
  }
  const key = new Uint8Array(raw.subarray(1, 33));
  if (raw.length !== 35 || encodeNkey(key) !== text) throw new Fault('malformed');
  return key;
}

/** CRC-16/XMODEM: polynomial 0x1021, initial value 0, no reflection. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return crc;
}
