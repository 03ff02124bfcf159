// One compressed block: its literals, and the sequences that place them among copies (RFC 8878, section 3.1.1.3).
import { Fault } from '../fault.ts';
import { BackwardBits } from './bits.ts';
import { buildTable, FseState, readTable, singleTable, type FseTable } from './fse.ts';
import { decodeStream, readTree, type HuffmanTable } from './huffman.ts';
import type { Output } from './output.ts';

/** The most bytes that one block becomes. */
export const MAX_BLOCK = 128 * 1024;

/** The tables and offsets that a block may take over from the one before it. */
export class Memory {
  huffman: HuffmanTable | undefined;
  readonly tables: (FseTable | undefined)[] = [undefined, undefined, undefined];
  readonly offsets: [number, number, number] = [1, 4, 8];
}

const LENGTH_PROBABILITIES = '4 3 2 2 2 2 2 2 2 2 2 2 2 1 1 1 2 2 2 2 2 2 2 2 2 3 2 1 1 1 1 1 -1 -1 -1 -1';
const OFFSET_PROBABILITIES = '1 1 1 1 1 1 2 2 2 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 -1 -1 -1 -1 -1';
const MATCH_PROBABILITIES =
  '1 4 3 2 2 2 2 2 2 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 -1 -1 -1 -1 -1 -1 -1';

/** Literal lengths, offsets and match lengths: the table that stands for each unless it is told, and its limits. */
const KINDS = [
  { standard: standard(6, LENGTH_PROBABILITIES), maxAccuracy: 9, maxSymbol: 35 },
  { standard: standard(5, OFFSET_PROBABILITIES), maxAccuracy: 8, maxSymbol: 31 },
  { standard: standard(6, MATCH_PROBABILITIES), maxAccuracy: 9, maxSymbol: 52 },
] as const;

/** For each code the number that it stands for, to which so many bits are added. */
const LENGTHS = ranges(0, 16, '1 1 1 1 2 2 3 3 4 6 7 8 9 10 11 12 13 14 15 16');
const MATCHES = ranges(3, 32, '1 1 1 1 2 2 3 3 4 4 5 7 8 9 10 11 12 13 14 15 16');

/** Decodes a block to the end of the output. */
export function decodeBlock(block: Uint8Array, memory: Memory, output: Output): void {
  const { literals, length } = readLiterals(block, memory);
  const most = output.length + MAX_BLOCK;
  const rest = block.subarray(length);
  const first = byteAt(rest, 0);
  if (first === 0) {
    if (rest.length !== 1) throw new Fault('malformed');
    output.append(literals);
    return;
  }
  let at = 1;
  let count = first;
  if (first === 255) {
    count = byteAt(rest, 1) + (byteAt(rest, 2) << 8) + 0x7f00;
    at = 3;
  } else if (first > 127) {
    count = ((first - 128) << 8) + byteAt(rest, 1);
    at = 2;
  }
  at = readTables(rest, at, memory);
  execute(new BackwardBits(rest.subarray(at)), count, literals, memory, output, most);
}

function execute(
  bits: BackwardBits,
  count: number,
  literals: Uint8Array,
  memory: Memory,
  output: Output,
  most: number,
): void {
  const [lengths, offsets, matches] = memory.tables.map((table) => {
    if (!table) throw new Fault('malformed');
    return new FseState(table, bits);
  }) as [FseState, FseState, FseState];
  let taken = 0;
  for (let left = count; left > 0; left--) {
    const code = offsets.symbol;
    const offset = 2 ** code + bits.read(code);
    const match = inRange(MATCHES, matches.symbol, bits);
    const length = inRange(LENGTHS, lengths.symbol, bits);
    if (left > 1) for (const state of [lengths, matches, offsets]) state.advance(bits);
    if (bits.left < 0 || taken + length > literals.length) throw new Fault('malformed');
    if (output.length + length + match > most) throw new Fault('too_large');
    output.append(literals.subarray(taken, taken + length));
    output.copy(distance(offset, length, memory.offsets), match);
    taken += length;
  }
  bits.end();
  output.append(literals.subarray(taken));
  if (output.length > most) throw new Fault('too_large');
}

/** How far back a copy begins: the first three values stand for the last distances (section 3.1.1.5). */
function distance(offset: number, literalLength: number, last: Memory['offsets']): number {
  const place = offset > 3 ? 3 : offset - 1 + (literalLength === 0 ? 1 : 0);
  const found = offset > 3 ? offset - 3 : (last[place] ?? last[0] - 1);
  if (found < 1) throw new Fault('malformed');
  if (place > 1) last[2] = last[1];
  if (place > 0) last[1] = last[0];
  last[0] = found;
  return found;
}

function readTables(rest: Uint8Array, at: number, memory: Memory): number {
  const modes = byteAt(rest, at++);
  if (modes & 3) throw new Fault('malformed');
  KINDS.forEach(({ standard, maxAccuracy, maxSymbol }, kind) => {
    const mode = (modes >> (6 - 2 * kind)) & 3;
    if (mode === 0) memory.tables[kind] = standard;
    if (mode === 1) {
      const symbol = byteAt(rest, at++);
      if (symbol > maxSymbol) throw new Fault('malformed');
      memory.tables[kind] = singleTable(symbol);
    }
    if (mode === 2) {
      const { table, length } = readTable(rest.subarray(at), maxAccuracy, maxSymbol);
      memory.tables[kind] = table;
      at += length;
    }
  });
  return at;
}

function readLiterals(block: Uint8Array, memory: Memory): { literals: Uint8Array; length: number } {
  const first = byteAt(block, 0);
  const [type, format] = [first & 3, (first >> 2) & 3];
  const isCompressed = type > 1;
  const headerLength = isCompressed ? [3, 3, 4, 5][format] : [1, 2, 1, 3][format];
  const header = littleEndian(block.subarray(0, headerLength));
  const at = headerLength ?? 0;
  if (!isCompressed) {
    const size = Math.floor(header / (format % 2 === 0 ? 8 : 16));
    const length = at + (type === 0 ? size : 1);
    if (size > MAX_BLOCK || block.length < length) throw new Fault('malformed');
    const literals = type === 0 ? block.subarray(at, length) : new Uint8Array(size).fill(byteAt(block, at));
    return { literals, length };
  }
  const bits = [10, 10, 14, 18][format] ?? 0;
  const size = Math.floor(header / 16) % 2 ** bits;
  const length = at + (Math.floor(header / 16 / 2 ** bits) % 2 ** bits);
  if (size > MAX_BLOCK || block.length < length) throw new Fault('malformed');
  let streams = block.subarray(at, length);
  if (type === 2) {
    const tree = readTree(streams);
    memory.huffman = tree.table;
    streams = streams.subarray(tree.length);
  }
  if (!memory.huffman) throw new Fault('malformed');
  const literals = new Uint8Array(size);
  if (format === 0) decodeStream(streams, memory.huffman, literals);
  else decodeFour(streams, memory.huffman, literals);
  return { literals, length };
}

/** Four streams of a quarter each; the lengths of three come first. */
function decodeFour(bytes: Uint8Array, table: HuffmanTable, literals: Uint8Array): void {
  const share = Math.floor((literals.length + 3) / 4);
  if (bytes.length < 6 || 3 * share > literals.length) throw new Fault('malformed');
  const lengths = [0, 2, 4].map((place) => littleEndian(bytes.subarray(place, place + 2)));
  let at = 6;
  [...lengths, Infinity].forEach((length, stream) => {
    const end = Math.min(at + length, bytes.length);
    decodeStream(bytes.subarray(at, end), table, literals.subarray(share * stream, share * (stream + 1)));
    at = end;
  });
}

interface Range {
  from: number;
  bits: number;
}

/** Codes of which so many stand for one number each; those after them add bits and begin where the one before ends. */
function ranges(first: number, plain: number, bits: string): Range[] {
  let from = first;
  return [...Array<number>(plain).fill(0), ...bits.split(' ').map(Number)].map((bits) => {
    const range = { from, bits };
    from += 2 ** bits;
    return range;
  });
}

function inRange(ranges: Range[], code: number, reader: BackwardBits): number {
  const range = ranges[code];
  if (!range) throw new Fault('malformed');
  return range.from + reader.read(range.bits);
}

function standard(accuracy: number, probabilities: string): FseTable {
  return buildTable(accuracy, probabilities.split(' ').map(Number));
}

function littleEndian(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}

function byteAt(bytes: Uint8Array, place: number): number {
  const byte = bytes[place];
  if (byte === undefined) throw new Fault('malformed');
  return byte;
}
