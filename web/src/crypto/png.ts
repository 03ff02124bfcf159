// Writes a PNG of plain RGB pixels, without compression: shuffled pixels have no patterns that could be packed. A canvas would
// write the same image, but some browsers add noise to what is read out of one.
import { concat, utf8, type Bytes } from './bytes.ts';

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const ADLER = 65_521;

/** The PNG of a square, whose pixels come row by row, three bytes each. */
export function squarePng(pixels: Bytes, size: number): Bytes {
  const row = size * 3;
  // Each row begins with its filter: none.
  const rows = Array.from({ length: size }, (_, y) =>
    concat(Uint8Array.of(0), pixels.subarray(y * row, (y + 1) * row)),
  );
  const chunks = [
    chunk('IHDR', header(size)),
    chunk('IDAT', stored(concat(...rows))),
    chunk('IEND', concat()),
  ];
  return concat(SIGNATURE, ...chunks);
}

/** Width, height, eight bits each of red, green and blue, and no options. */
function header(size: number): Bytes {
  return concat(number(size), number(size), Uint8Array.of(8, 2, 0, 0, 0));
}

/** A zlib stream (RFC 1950) of one stored block; no more than 65,535 bytes fit into one. */
function stored(data: Bytes): Bytes {
  const head = new Uint8Array(7);
  head.set([0x78, 0x01, 1]);
  const view = new DataView(head.buffer);
  view.setUint16(3, data.length, true);
  view.setUint16(5, ~data.length & 0xffff, true);
  return concat(head, data, number(adler32(data)));
}

function chunk(type: string, content: Bytes): Bytes {
  const body = concat(utf8(type), content);
  return concat(number(content.length), body, number(crc32(body)));
}

function number(value: number): Bytes {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function adler32(data: Bytes): number {
  let [a, b] = [1, 0];
  for (const byte of data) {
    a = (a + byte) % ADLER;
    b = (b + a) % ADLER;
  }
  return b * 0x1_0000 + a;
}

function crc32(data: Bytes): number {
  let crc = 0xffff_ffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb8_8320 : 0);
  }
  return ~crc >>> 0;
}
