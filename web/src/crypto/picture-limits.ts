// How large pictures are: apart from what opens and seals them, for the worker that draws them needs no more than this.

export type PictureType = 'image/webp' | 'image/jpeg';

/** Width and height of every picture. */
export const PICTURE_SIZE = 256;
/** The longest picture: with its tag 24 KiB. */
export const MAX_PICTURE_BYTES = 24 * 1024 - 16;
