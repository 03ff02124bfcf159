// Draws a picture anew: whatever file somebody chose becomes a square of pixels and nothing else, so that neither the place where
// it was taken nor the camera's name travel with it. What a file says of itself is read before any of it is decoded.
import type { Bytes } from '../crypto/bytes.ts';
import { imageHeader } from '../crypto/image-header.ts';
import { MAX_PICTURE_BYTES, PICTURE_SIZE, type PictureType } from '../crypto/picture-limits.ts';
import { squarePng } from '../crypto/png.ts';
import { PREVIEW_SIZE, previewText } from '../crypto/preview.ts';
import { shuffle } from '../crypto/visual.ts';
import type { Drawn } from '../state/profile.svelte.ts';

export interface DrawingCall {
  file: Blob;
  key: Bytes;
  salt: Bytes;
}

export type DrawingAnswer = { drawn: Drawn } | { code: 'not_a_picture' | 'picture_too_large' };

/** Pixels that are decoded at most: four bytes each, while it is drawn. */
const MOST_PIXELS = 64_000_000;
/** JPEGs hold what they say of themselves before their pixels within this many bytes, but for a few monsters. */
const HEAD = 1024 * 1024;
const QUALITIES = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0];
/** What shows where a picture lets something through. */
const PAPER = '#ffffff';

self.onmessage = async ({ data }: MessageEvent<DrawingCall>) => {
  self.postMessage(await answer(data));
};

async function answer({ file, key, salt }: DrawingCall): Promise<DrawingAnswer> {
  const header = imageHeader(new Uint8Array(await file.slice(0, HEAD).arrayBuffer()));
  if (!header) return { code: 'not_a_picture' };
  if (header.width * header.height > MOST_PIXELS) return { code: 'picture_too_large' };
  try {
    // By its own word: the type that came with the file is not believed.
    const image = await createImageBitmap(file.slice(0, file.size, header.type));
    const picture = square(image, PICTURE_SIZE);
    const small = square(picture, PREVIEW_SIZE);
    const preview = previewText(squarePng(shuffle(pixelsOf(small), key, salt), PREVIEW_SIZE), salt);
    return { drawn: { ...(await encode(picture)), preview } };
  } catch {
    return { code: 'not_a_picture' };
  }
}

/** The middle of an image, in a square. */
function square(image: ImageBitmap | OffscreenCanvas, size: number): OffscreenCanvas {
  const canvas = new OffscreenCanvas(size, size);
  const context = contextOf(canvas);
  const side = Math.min(image.width, image.height);
  const [left, top] = [(image.width - side) / 2, (image.height - side) / 2];
  context.fillStyle = PAPER;
  context.fillRect(0, 0, size, size);
  context.imageSmoothingQuality = 'high';
  context.drawImage(image, left, top, side, side, 0, 0, size, size);
  return canvas;
}

/** As WebP, or as JPEG where the browser writes none; no better than fits. */
async function encode(picture: OffscreenCanvas): Promise<{ image: Bytes; type: PictureType }> {
  for (const quality of QUALITIES) {
    const webp = await picture.convertToBlob({ type: 'image/webp', quality });
    const type = webp.type === 'image/webp' ? webp.type : 'image/jpeg';
    const blob = type === 'image/webp' ? webp : await picture.convertToBlob({ type, quality });
    if (blob.size <= MAX_PICTURE_BYTES) return { image: new Uint8Array(await blob.arrayBuffer()), type };
  }
  throw new Error('this browser makes nothing small of it');
}

/** Red, green and blue of each pixel, row by row. */
function pixelsOf(canvas: OffscreenCanvas): Bytes {
  const { data } = contextOf(canvas).getImageData(0, 0, canvas.width, canvas.height);
  return new Uint8Array(data.filter((_, at) => at % 4 !== 3));
}

function contextOf(canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D {
  const context = canvas.getContext('2d', { alpha: false });
  if (!context) throw new Error('this browser draws nothing in workers');
  return context;
}
