// Pictures for people in stories, painted by arithmetic: files as somebody would choose them.
import { squarePng } from '../src/crypto/png.ts';

type Colour = readonly [red: number, green: number, blue: number];

/** A PNG of which each pixel has the colour of its place. */
export function painting(size: number, colourAt: (x: number, y: number) => Colour) {
  const pixels = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) pixels.set(colourAt(x / size, y / size), (y * size + x) * 3);
  }
  return { name: 'me.png', mimeType: 'image/png', buffer: Buffer.from(squarePng(pixels, size)) };
}

/** Every pixel has a place that can be told from others. */
export const stripes = (size = 120) =>
  painting(size, (x, y) => [250 * x, 250 * y, x > y ? 200 : 30].map(Math.floor) as unknown as Colour);

/** The sun above the sea. */
export const sunset = () =>
  painting(146, (x, y) => {
    if (Math.hypot(x - 0.5, y - 0.5) < 0.2 && y < 0.62) return [255, 214, 120];
    if (y < 0.62) return [235 - 90 * (0.62 - y), 130 - 60 * (0.62 - y), 110 + 120 * (0.62 - y)];
    const glitter = Math.abs(x - 0.5) < 0.06 + 0.1 * (y - 0.62) && Math.sin(90 * y) > 0;
    return glitter ? [244, 180, 110] : [40, 60 - 40 * (y - 0.62), 96 - 60 * (y - 0.62)];
  });

/** Mountains under the moon. */
export const mountains = () =>
  painting(146, (x, y) => {
    const near = 0.9 - 0.35 * Math.max(0, 1 - Math.abs(x - 0.72) * 2.6);
    const far = 0.78 - 0.3 * Math.max(0, 1 - Math.abs(x - 0.3) * 2.2);
    if (y > near) return [22, 54, 58];
    if (y > far) return y < far + 0.08 && Math.abs(x - 0.3) < 0.16 ? [222, 236, 240] : [46, 92, 98];
    if (Math.hypot(x - 0.7, y - 0.26) < 0.1) return [246, 240, 214];
    return [24, 40 + 50 * y, 74 + 60 * y];
  });
