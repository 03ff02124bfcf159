// The picture of someone who has none: a 5×5 symmetric pattern and a hue, both from the key, the same everywhere.
import { sha256 } from '@noble/hashes/sha2.js';
import { keyBytes, type Primary } from './primary.ts';

export const IDENTICON_SIZE = 5;

export interface Identicon {
  /** Degrees on the colour wheel. */
  hue: number;
  /** The cells that are filled, each a column and a row from 0 to 4. */
  cells: { x: number; y: number }[];
}

/** The identicon of a key. It is hashed first: keys that were searched for a nice beginning look like others. */
export function identicon(primary: Primary): Identicon {
  const [first = 0, second = 0, ...rest] = sha256(keyBytes(primary));
  const cells = [];
  for (let y = 0; y < IDENTICON_SIZE; y++) {
    for (let x = 0; x < IDENTICON_SIZE; x++) {
      const mirrored = Math.min(x, IDENTICON_SIZE - 1 - x);
      const isFilled = ((rest[y * 3 + mirrored] ?? 0) & 1) === 1;
      if (isFilled) cells.push({ x, y });
    }
  }
  return { hue: ((first << 8) | second) % 360, cells };
}
