// What a frame becomes: memory that grows with what is written, whatever a frame announces.
import { Fault } from '../fault.ts';
import type { Bytes } from '../bytes.ts';

export class Output {
  length = 0;
  #bytes: Bytes = new Uint8Array(4096);

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  repeat(byte: number, count: number): void {
    this.#reserve(count);
    this.#bytes.fill(byte, this.length, this.length + count);
    this.length += count;
  }

  /** Appends what stands so far back; it may reach into what it writes. */
  copy(distance: number, count: number): void {
    if (distance > this.length) throw new Fault('malformed');
    this.#reserve(count);
    const bytes = this.#bytes;
    const end = this.length + count;
    for (let place = this.length; place < end; place++) bytes[place] = bytes[place - distance] ?? 0;
    this.length = end;
  }

  bytes(): Bytes {
    return this.#bytes.slice(0, this.length);
  }

  #reserve(count: number): void {
    if (this.length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.length + count));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
