// Finite state entropy: the tables of Zstandard (RFC 8878, section 4.1).
import { Fault } from '../fault.ts';
import { ForwardBits, highestBit, type BackwardBits } from './bits.ts';

/** A decoding table: for each state its symbol, how many bits lead to the next one, and from where. */
export interface FseTable {
  accuracy: number;
  symbols: Uint8Array;
  bits: Uint8Array;
  bases: Uint16Array;
}

/** The table in a compressed description, and how many bytes that takes. */
export function readTable(bytes: Uint8Array, maxAccuracy: number, maxSymbol: number) {
  const reader = new ForwardBits(bytes);
  const accuracy = reader.read(4) + 5;
  if (accuracy > maxAccuracy) throw new Fault('malformed');
  const probabilities: number[] = [];
  for (let remaining = 1 << accuracy; remaining > 0;) {
    const probability = readProbability(reader, remaining);
    remaining -= Math.abs(probability);
    probabilities.push(probability);
    if (probability === 0) readZeros(reader, probabilities);
    if (remaining < 0 || probabilities.length > maxSymbol + 1) throw new Fault('malformed');
  }
  return { table: buildTable(accuracy, probabilities), length: reader.bytesRead };
}

/** A number of as many bits as what remains needs, where the lower half does with one bit less. */
function readProbability(reader: ForwardBits, remaining: number): number {
  const bits = highestBit(remaining + 1) + 1;
  const lowMask = (1 << (bits - 1)) - 1;
  const threshold = (1 << bits) - 1 - (remaining + 1);
  const value = reader.read(bits);
  if ((value & lowMask) < threshold) {
    reader.rewind();
    return (value & lowMask) - 1;
  }
  return (value > lowMask ? value - threshold : value) - 1;
}

function readZeros(reader: ForwardBits, probabilities: number[]): void {
  for (let repeat = 3; repeat === 3;) {
    repeat = reader.read(2);
    for (let zero = 0; zero < repeat; zero++) probabilities.push(0);
    if (probabilities.length > 256) throw new Fault('malformed');
  }
}

/** The table of these probabilities; -1 stands for "less than one". */
export function buildTable(accuracy: number, probabilities: readonly number[]): FseTable {
  const size = 1 << accuracy;
  const symbols = new Uint8Array(size);
  const next = probabilities.map((probability) => Math.abs(probability));
  const rare = probabilities.flatMap((probability, symbol) => (probability < 0 ? [symbol] : []));
  rare.forEach((symbol, place) => (symbols[size - 1 - place] = symbol));
  const free = size - rare.length;
  const step = (size >> 1) + (size >> 3) + 3;
  let place = 0;
  probabilities.forEach((probability, symbol) => {
    for (let count = 0; count < probability; count++) {
      symbols[place] = symbol;
      do place = (place + step) & (size - 1);
      while (place >= free);
    }
  });
  const [bits, bases] = [new Uint8Array(size), new Uint16Array(size)];
  symbols.forEach((symbol, state) => {
    const number = next[symbol] ?? 0;
    next[symbol] = number + 1;
    const count = accuracy - highestBit(number);
    bits[state] = count;
    bases[state] = (number << count) - size;
  });
  return { accuracy, symbols, bits, bases };
}

/** The table with one symbol, which takes no bits. */
export function singleTable(symbol: number): FseTable {
  return { accuracy: 0, symbols: Uint8Array.of(symbol), bits: new Uint8Array(1), bases: new Uint16Array(1) };
}

/** A place in a table, which moves as bits are read. */
export class FseState {
  readonly #table: FseTable;
  #state: number;

  constructor(table: FseTable, bits: BackwardBits) {
    this.#table = table;
    this.#state = bits.read(table.accuracy);
  }

  get symbol(): number {
    return this.#table.symbols[this.#state] ?? 0;
  }

  advance(bits: BackwardBits): void {
    const count = this.#table.bits[this.#state] ?? 0;
    this.#state = (this.#table.bases[this.#state] ?? 0) + bits.read(count);
  }
}
