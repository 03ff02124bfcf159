// What can be asked of faces: identicons, shuffles, and the pictures of profiles. A picture comes as the text of its member.
import { fromHex, toBase64url, toHex, utf8, type Bytes } from '../src/crypto/bytes.ts';
import { canonicalText } from '../src/crypto/canonical.ts';
import { identicon } from '../src/crypto/identicon.ts';
import { parse } from '../src/crypto/json.ts';
import { SecretKey } from '../src/crypto/keys.ts';
import { openOwnKey, openPicture, pictureValue, readPicture, sealPicture } from '../src/crypto/picture.ts';
import { parseEd25519, parsePrimary } from '../src/crypto/primary.ts';
import { permutation, shuffle, unshuffle } from '../src/crypto/visual.ts';
import type { Given } from './answers.ts';

export const faces: Record<string, (given: Given) => unknown> = {
  identicon: ({ primary }) => {
    const { hue, ground, cell, cells } = identicon(parsePrimary(primary));
    return { hue, ground, cell, cells: cells.map(({ x, y }) => [x, y]) };
  },
  permutation: ({ pixels, key, salt }) => [...permutation(pixels, bytes(key), bytes(salt))],
  shuffle: ({ rgb, key, salt }) => toHex(shuffle(bytes(rgb), bytes(key), bytes(salt))),
  unshuffle: ({ rgb, key, salt }) => toHex(unshuffle(bytes(rgb), bytes(key), bytes(salt))),

  picture: ({ text }) => {
    const { preview, ...picture } = readPicture(parse(text));
    const written = preview && `${preview.url}#kez-visual-v1:${toBase64url(preview.salt)}`;
    return canonicalText(pictureValue({ ...picture, preview: written }));
  },
  seal_picture: async ({ image, primary, key, nonce }) =>
    toHex(await sealPicture(bytes(image), parseEd25519(primary), { key: bytes(key), nonce: bytes(nonce) })),
  open_picture: async ({ text, primary, key }) =>
    toHex(await openPicture(readPicture(parse(text)), parseEd25519(primary), bytes(key))),
  own_key: async ({ text, seed }) =>
    toHex(await openOwnKey(readPicture(parse(text)), SecretKey.fromSeed(bytes(seed)))),
};

function bytes(hex: string): Bytes {
  return fromHex(hex, hex.length / 2) ?? utf8('');
}
