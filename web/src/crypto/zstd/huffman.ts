// Huffman codes of literals (RFC 8878, section 4.2).
import { Fault } from '../fault.ts';
import { BackwardBits, highestBit } from './bits.ts';
import { FseState, readTable } from './fse.ts';

const MAX_BITS = 11;

/** For each next so many bits: the symbol that they begin with, and its length. */
export interface HuffmanTable {
  maxBits: number;
  symbols: Uint8Array;
  lengths: Uint8Array;
}

/** The tree in a description, and how many bytes that takes. */
export function readTree(bytes: Uint8Array): { table: HuffmanTable; length: number } {
  const header = bytes[0] ?? 0;
  const length = 1 + (header < 128 ? header : (header - 126) >> 1);
  if (bytes.length < length) throw new Fault('malformed');
  const inside = bytes.subarray(1, length);
  const weights = header < 128 ? compressedWeights(inside) : directWeights(inside, header - 127);
  return { table: buildTree(weights), length };
}

/** So many symbols, from a stream that must hold exactly them. */
export function decodeStream(bytes: Uint8Array, table: HuffmanTable, into: Uint8Array): void {
  const bits = new BackwardBits(bytes);
  for (let place = 0; place < into.length; place++) {
    const code = bits.peek(table.maxBits);
    into[place] = table.symbols[code] ?? 0;
    bits.left -= table.lengths[code] ?? 0;
    if (bits.left < 0) throw new Fault('malformed');
  }
  bits.end();
}

function directWeights(bytes: Uint8Array, count: number): number[] {
  return Array.from({ length: count }, (_, place) => {
    const byte = bytes[place >> 1] ?? 0;
    return place % 2 === 0 ? byte >> 4 : byte & 15;
  });
}

/** Two states take turns until there are no bits for the next step. */
function compressedWeights(bytes: Uint8Array): number[] {
  const { table, length } = readTable(bytes, 6, 255);
  const bits = new BackwardBits(bytes.subarray(length));
  let [current, other] = [new FseState(table, bits), new FseState(table, bits)];
  const weights: number[] = [];
  while (weights.length < 255) {
    weights.push(current.symbol);
    current.advance(bits);
    if (bits.left < 0) return [...weights, other.symbol];
    [current, other] = [other, current];
  }
  throw new Fault('malformed');
}

/** The table of these weights and of the last one, which is what is missing from a power of two. */
function buildTree(weights: number[]): HuffmanTable {
  const share = (weight: number) => (weight > 0 ? 2 ** (weight - 1) : 0);
  const sum = weights.reduce((sum, weight) => sum + share(weight), 0);
  const maxBits = sum === 0 ? 0 : highestBit(sum) + 1;
  const missing = 2 ** maxBits - sum;
  const isTree = sum > 0 && maxBits <= MAX_BITS && weights.length < 256 && (missing & (missing - 1)) === 0;
  if (!isTree) throw new Fault('malformed');
  const all = [...weights, highestBit(missing) + 1];
  const [symbols, lengths] = [new Uint8Array(2 ** maxBits), new Uint8Array(2 ** maxBits)];
  let place = 0;
  for (let weight = 1; weight <= maxBits; weight++) {
    all.forEach((its, symbol) => {
      if (its !== weight) return;
      const end = place + share(weight);
      symbols.fill(symbol, place, end);
      lengths.fill(maxBits + 1 - weight, place, end);
      place = end;
    });
  }
  return { maxBits, symbols, lengths };
}
