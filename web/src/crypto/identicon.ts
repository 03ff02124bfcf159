// The picture of someone who has none: a 5×5 symmetric pattern and a hue, both from the key, the same everywhere.
import { sha256 } from '@noble/hashes/sha2.js';
import { keyBytes, type Primary } from './primary.ts';

export const IDENTICON_SIZE = 5;

interface Tone {
  lightness: number;
  chroma: number;
}

const GROUND: Tone = { lightness: 0.3, chroma: 0.05 };
const CELL: Tone = { lightness: 0.78, chroma: 0.11 };

export interface Identicon {
  /** Degrees on the colour wheel. */
  hue: number;
  /** The colours of the ground and of the cells, as `#rrggbb`. */
  ground: string;
  cell: string;
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
  const hue = ((first << 8) | second) % 360;
  return { hue, ground: colour(GROUND, hue), cell: colour(CELL, hue), cells };
}

/** A colour of OKLCH in sRGB; what sRGB does not hold is cut off. */
function colour({ lightness, chroma }: Tone, hue: number): string {
  const angle = (hue * Math.PI) / 180;
  const [a, b] = [chroma * Math.cos(angle), chroma * Math.sin(angle)];
  const [l, m, s] = [
    (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3,
    (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3,
    (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3,
  ];
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return `#${linear.map(component).join('')}`;
}

/** A component of sRGB, from its linear value, as two hex digits. */
function component(linear: number): string {
  const bounded = Math.min(Math.max(linear, 0), 1);
  const curved = bounded <= 0.0031308 ? 12.92 * bounded : 1.055 * bounded ** (1 / 2.4) - 0.055;
  return Math.round(curved * 255)
    .toString(16)
    .padStart(2, '0');
}
