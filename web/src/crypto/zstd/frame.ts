// Zstandard (RFC 8878) from strangers: exactly one whole frame, and no more bytes than a limit. Frames of ours are not
// compressed at all: what they hold is short, and a compressor would be the largest part of this client.
import { concat, type Bytes } from '../bytes.ts';
import { Fault } from '../fault.ts';
import { decodeBlock, MAX_BLOCK, Memory } from './block.ts';
import { Output } from './output.ts';
import { xxh64 } from './xxh64.ts';

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
/** The largest window, as the Rust decoder has it; it reserves nothing here. */
const MAX_WINDOW = 100 * 1024 * 1024;
/** The largest window that a descriptor can name, which stands for larger ones. */
const UNKNOWN_WINDOW = 2 ** 41 + 7 * 2 ** 38;

/** One frame of raw blocks, which says its length. */
export function frameOf(bytes: Uint8Array): Bytes {
  // Descriptor 0xA0: a single segment whose length follows in four bytes, no checksum.
  const header = concat(Uint8Array.of(...MAGIC, 0xa0), number(bytes.length, 4));
  const blocks: Uint8Array[] = [];
  for (let start = 0; start === 0 || start < bytes.length; start += MAX_BLOCK) {
    const block = bytes.subarray(start, start + MAX_BLOCK);
    const isLast = start + MAX_BLOCK >= bytes.length;
    blocks.push(number(block.length * 8 + (isLast ? 1 : 0), 3), block);
  }
  return concat(header, ...blocks);
}

/** What the one frame holds: `too_large` when it is more than `limit`, of which one block is written at most; `malformed`. */
export function unframe(frame: Uint8Array, limit: number): Bytes {
  const header = readHeader(frame);
  if (header.window > MAX_WINDOW) throw new Fault('too_large');
  if (header.dictionary !== 0) throw new Fault('malformed');
  // Zero announces nothing.
  if (header.announced > limit) throw new Fault('too_large');
  const output = new Output();
  const end = readBlocks(frame, header.length, output, limit);
  const bytes = output.bytes();
  const sum = header.hasSum ? number(Number(xxh64(bytes) & 0xffff_ffffn), 4) : new Uint8Array();
  const isAsAnnounced = header.announced === 0 || header.announced === bytes.length;
  const rest = frame.subarray(end);
  const isWhole = rest.length === sum.length && sum.every((byte, place) => byte === rest[place]);
  if (!isAsAnnounced || !isWhole) throw new Fault('malformed');
  return bytes;
}

function readBlocks(frame: Uint8Array, start: number, output: Output, limit: number): number {
  const memory = new Memory();
  for (let at = start; ;) {
    const header = littleEndian(frame, at, 3);
    const [isLast, type, size] = [header & 1, (header >> 1) & 3, header >> 3];
    const end = at + 3 + (type === 1 ? 1 : size);
    if (type === 3 || size > MAX_BLOCK || end > frame.length) throw new Fault('malformed');
    const block = frame.subarray(at + 3, end);
    if (type === 0) output.append(block);
    else if (type === 1) output.repeat(block[0] ?? 0, size);
    else decodeBlock(block, memory, output);
    if (output.length > limit) throw new Fault('too_large');
    if (isLast) return end;
    at = end;
  }
}

function readHeader(frame: Uint8Array) {
  const descriptor = littleEndian(frame, 4, 1);
  const hasUnknown = (descriptor & 8) !== 0;
  if (hasUnknown || !MAGIC.every((byte, place) => byte === frame[place])) throw new Fault('malformed');
  const isSingle = (descriptor & 0x20) !== 0;
  const dictionaryLength = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeLength = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const windowAt = 5;
  const dictionaryAt = windowAt + (isSingle ? 0 : 1);
  const sizeAt = dictionaryAt + dictionaryLength;
  const dictionary = littleEndian(frame, dictionaryAt, dictionaryLength);
  const announced = littleEndian(frame, sizeAt, sizeLength) + (sizeLength === 2 ? 256 : 0);
  const window = isSingle ? announced : windowSize(littleEndian(frame, windowAt, 1));
  if (window >= UNKNOWN_WINDOW) throw new Fault('malformed');
  return { announced, window, dictionary, hasSum: (descriptor & 4) !== 0, length: sizeAt + sizeLength };
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function littleEndian(bytes: Uint8Array, start: number, length: number): number {
  if (start + length > bytes.length) throw new Fault('malformed');
  return bytes.subarray(start, start + length).reduceRight((value, byte) => value * 256 + byte, 0);
}

function number(value: number, length: number): Bytes {
  return Uint8Array.from({ length }, (_, place) => Math.floor(value / 256 ** place) % 256);
}
