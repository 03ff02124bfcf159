// The keyed shuffle `kez-visual-v1`: what strangers may see of a picture. It moves pixels and changes none: the colours stay, in
// another order. It hides a face from a glance and is no encryption.
import { hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8, type Bytes } from './bytes.ts';

const INFO = utf8('kez-visual-v1');
const WORDS = 2 ** 32;
/** Bytes of a pixel: red, green, blue. */
const PIXEL = 3;

/** The pixels in the order of the key and the salt: at place p stands the one from place `permutation[p]`. */
export function shuffle(pixels: Bytes, key: Bytes, salt: Bytes): Bytes {
  const shuffled = new Uint8Array(pixels.length);
  permutation(pixels.length / PIXEL, key, salt).forEach((from, to) => {
    shuffled.set(pixels.subarray(from * PIXEL, (from + 1) * PIXEL), to * PIXEL);
  });
  return shuffled;
}

/** The pixels as they were before `shuffle`. */
export function unshuffle(shuffled: Bytes, key: Bytes, salt: Bytes): Bytes {
  const pixels = new Uint8Array(shuffled.length);
  permutation(shuffled.length / PIXEL, key, salt).forEach((from, to) => {
    pixels.set(shuffled.subarray(to * PIXEL, (to + 1) * PIXEL), from * PIXEL);
  });
  return pixels;
}

/** Fisher and Yates, from the last place down. */
export function permutation(length: number, key: Bytes, salt: Bytes): Uint32Array {
  const uniform = uniformNumbers(hkdf(sha256, key, salt, INFO, 32));
  const places = Uint32Array.from({ length }, (_, place) => place);
  for (let last = length - 1; last > 0; last--) {
    const other = uniform(last + 1);
    const [here = 0, there = 0] = [places[last], places[other]];
    places[last] = there;
    places[other] = here;
  }
  return places;
}

/** Numbers below n, each as likely: words of HMAC-SHA-256 over a counter, without those that would favour small numbers. */
function uniformNumbers(key: Uint8Array): (n: number) => number {
  let block = new DataView(new ArrayBuffer(0));
  let [counter, at] = [0, 0];
  const word = () => {
    if (at === block.byteLength) {
      const message = new DataView(new ArrayBuffer(4));
      message.setUint32(0, counter++);
      block = new DataView(hmac(sha256, key, new Uint8Array(message.buffer)).buffer);
      at = 0;
    }
    at += 4;
    return block.getUint32(at - 4);
  };
  return (n) => {
    const end = Math.floor(WORDS / n) * n;
    for (;;) {
      const drawn = word();
      if (drawn < end) return drawn % n;
    }
  };
}
