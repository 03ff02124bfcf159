// What images say of themselves: each kind as its own specification has it, and whatever else comes.
import { expect, test } from 'vitest';
import { concat, utf8, type Bytes } from '../bytes.ts';
import { imageHeader } from '../image-header.ts';
import { squarePng } from '../png.ts';

const u16 = (value: number) => Uint8Array.of(value >> 8, value & 255);
const webp = (...chunk: Uint8Array[]) =>
  concat(utf8('RIFF'), new Uint8Array(4), utf8('WEBP'), ...chunk, new Uint8Array(4));
/** VP8X, by its flags. */
const extended = (flags: number) =>
  webp(utf8('VP8X'), new Uint8Array(4), Uint8Array.of(flags, 0, 0, 0, 0x1f, 0x03, 0, 0x57, 0x02, 0));
const segment = (marker: number, content: Uint8Array) =>
  concat(Uint8Array.of(0xff, marker), u16(content.length + 2), content);
const frame = (marker: number) =>
  segment(marker, concat(Uint8Array.of(8), u16(600), u16(800), new Uint8Array(10)));
const start = Uint8Array.of(0xff, 0xd8);

const KNOWN: [string, Bytes, unknown][] = [
  ['png', squarePng(new Uint8Array(8 * 8 * 3), 8), { type: 'image/png', width: 8, height: 8 }],
  [
    'gif',
    concat(utf8('GIF89a'), Uint8Array.of(0x20, 0x03, 0x58, 0x02)),
    { type: 'image/gif', width: 800, height: 600 },
  ],
  [
    'lossy webp',
    webp(utf8('VP8 '), new Uint8Array(7), Uint8Array.of(0x9d, 0x01, 0x2a, 0x20, 0x43, 0x58, 0x82)),
    { type: 'image/webp', width: 800, height: 600 },
  ],
  [
    'lossless webp',
    webp(utf8('VP8L'), new Uint8Array(4), Uint8Array.of(0x2f, 0x1f, 0xc3, 0x95, 0x00)),
    { type: 'image/webp', width: 800, height: 600 },
  ],
  ['extended webp', extended(0b1000), { type: 'image/webp', width: 800, height: 600 }],
  [
    'jpeg',
    concat(
      start,
      segment(0xe1, utf8('Exif')),
      Uint8Array.of(0xff),
      segment(0xdb, new Uint8Array(65)),
      frame(0xc2),
    ),
    { type: 'image/jpeg', width: 800, height: 600 },
  ],
];

test.each(KNOWN)('%s', (_, bytes, header) => {
  expect(imageHeader(bytes)).toEqual(header);
  // Also within something larger.
  const within = concat(new Uint8Array(3), bytes).subarray(3);
  expect(imageHeader(within)).toEqual(header);
});

test.each<[string, Bytes]>([
  ['nothing', new Uint8Array()],
  ['svg', utf8('<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>')],
  ['a moving webp', extended(0b10)],
  ['webp of an unknown kind', webp(utf8('VP9 '), new Uint8Array(40))],
  ['webp without a start code', webp(utf8('VP8 '), new Uint8Array(40))],
  ['jpeg whose pixels come before its size', concat(start, segment(0xda, new Uint8Array(8)), frame(0xc0))],
  ['jpeg with a hole', concat(start, segment(0xe1, utf8('Exif')), Uint8Array.of(0), frame(0xc0))],
  ['jpeg whose segment has no length', concat(start, Uint8Array.of(0xff, 0xe1, 0, 0), new Uint8Array(99))],
  ['a gif of no height', concat(utf8('GIF89a'), Uint8Array.of(1, 0, 0, 0))],
])('%s is none', (_, bytes) => {
  expect(imageHeader(bytes)).toBeUndefined();
});

test('what is cut short, or noise, is none and breaks nothing', () => {
  for (const [, bytes] of KNOWN) {
    for (let length = 0; length < 24; length++) {
      const cut = imageHeader(bytes.subarray(0, length));
      if (length < 10) expect(cut).toBeUndefined();
    }
    for (let round = 0; round < 500; round++) {
      const noise = bytes.slice();
      crypto.getRandomValues(noise.subarray(round % 12));
      const found = imageHeader(noise);
      if (found) expect(found.width * found.height).toBeGreaterThan(0);
    }
  }
  const endless = new Uint8Array(1_000_000).fill(0xff);
  endless[1] = 0xd8;
  const before = performance.now();
  expect(imageHeader(endless)).toBeUndefined();
  expect(performance.now() - before).toBeLessThan(1_000);
});
