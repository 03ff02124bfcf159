// The two ways in which Zstandard (RFC 8878) packs bits: forwards, and backwards from a mark at the end.
import { Fault } from '../fault.ts';

/** Reads bits from the lowest of the first byte on (section 4.1.1). */
export class ForwardBits {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(count: number): number {
    let value = 0;
    for (let bit = 0; bit < count; bit++, this.#at++) {
      const byte = this.#bytes[this.#at >> 3];
      if (byte === undefined) throw new Fault('malformed');
      value |= ((byte >> (this.#at & 7)) & 1) << bit;
    }
    return value;
  }

  /** Takes the last bit back. */
  rewind(): void {
    this.#at -= 1;
  }

  /** How many bytes were begun. */
  get bytesRead(): number {
    return (this.#at + 7) >> 3;
  }
}

/** Reads bits from the highest below the end mark down (section 4.1); beyond the first bit stand zeros. */
export class BackwardBits {
  readonly #bytes: Uint8Array;
  /** How many bits are left: below 0 when zeros were read that are not there. */
  left: number;

  constructor(bytes: Uint8Array) {
    const last = bytes.at(-1) ?? 0;
    if (last === 0) throw new Fault('malformed');
    this.#bytes = bytes;
    this.left = bytes.length * 8 - 1 - Math.clz32(last << 24);
  }

  read(count: number): number {
    const value = this.peek(count);
    this.left -= count;
    return value;
  }

  /** The next bits, up to 32, which stay there. */
  peek(count: number): number {
    let value = 0;
    for (let missing = count; missing > 0;) {
      // Bits [end - taken, end) of the stream, from one byte.
      const end = this.left - (count - missing);
      if (end <= 0) return value * 2 ** missing;
      const inByte = ((end - 1) & 7) + 1;
      const taken = Math.min(inByte, missing);
      const byte = this.#bytes[(end - 1) >> 3] ?? 0;
      value = value * 2 ** taken + ((byte >> (inByte - taken)) & (2 ** taken - 1));
      missing -= taken;
    }
    return value;
  }

  /** Checks that every bit was read, and none that is not there. */
  end(): void {
    if (this.left !== 0) throw new Fault('malformed');
  }
}

/** The place of the highest bit that is set. */
export function highestBit(value: number): number {
  return 31 - Math.clz32(value);
}
