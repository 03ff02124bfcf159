// Pictures, their shuffled previews and identicons: every case of the shared vector files, by its name.
import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, test } from 'vitest';
import { fromBase64url, toBase64url, toHex, utf8, type Bytes } from '../bytes.ts';
import { identicon } from '../identicon.ts';
import { parse, type Json } from '../json.ts';
import { bodyValue, readBody } from '../message.ts';
import { openOwnKey, openPicture, pictureHash, pictureValue, readPicture, sealPicture } from '../picture.ts';
import { MAX_PICTURE_BYTES } from '../picture-limits.ts';
import { squarePng } from '../png.ts';
import { parsePreview, previewText } from '../preview.ts';
import { parsePrimary, type Ed25519Primary } from '../primary.ts';
import { permutation, shuffle, unshuffle } from '../visual.ts';
import { bytes, key, refusal, vectors } from './vectors.ts';

describe('identicons.json', () => {
  interface Case {
    name: string;
    primary: string;
    hue: number;
    ground: string;
    cell: string;
    rows: string[];
  }
  const file = vectors<{ ground_and_cell_of_hue: string[]; cases: Case[] }>('identicons.json');
  test.each(file.cases)('$name', ({ primary, hue, ground, cell, rows }) => {
    const icon = identicon(parsePrimary(primary.replace(/^npub/, 'nostr:npub')));
    expect({ hue: icon.hue, ground: icon.ground, cell: icon.cell }).toEqual({ hue, ground, cell });
    const isFilled = (x: number, y: number) => icon.cells.some((cell) => cell.x === x && cell.y === y);
    expect(
      [0, 1, 2, 3, 4].map((y) => [0, 1, 2, 3, 4].map((x) => (isFilled(x, y) ? '#' : '.')).join('')),
    ).toEqual(rows);
  });
  test('every hue has the colours of the specification', () => {
    const seen = new Map<number, string>();
    for (let number = 0; seen.size < 360; number++) {
      const { hue, ground, cell } = identicon(`ed25519:${number.toString(16).padStart(64, '0')}`);
      seen.set(hue, `${ground} ${cell}`);
    }
    const sorted = [...seen].sort(([a], [b]) => a - b).map(([, colours]) => colours);
    expect(sorted).toEqual(file.ground_and_cell_of_hue);
  });
});

describe('visual.json', () => {
  interface Case {
    name: string;
    key: string;
    salt: string;
    permutations: number[][];
    permutation_4096: { first: number[]; sha256_of_u16be: string };
    shuffled_sha256: string;
  }
  const file = vectors<{ permutations_of: number[]; cases: Case[] }>('visual.json');
  const picture = Uint8Array.from({ length: 4096 * 3 }, (_, at) => {
    const pixel = Math.floor(at / 3);
    return [pixel % 256, Math.floor(pixel / 256), (7 * pixel) % 256][at % 3] ?? 0;
  });
  test.each(file.cases)('$name', (case_) => {
    const [secret, salt] = [fromBase64url(case_.key), fromBase64url(case_.salt)];
    const permutations = file.permutations_of.map((length) => [...permutation(length, secret, salt)]);
    expect(permutations).toEqual(case_.permutations);
    const whole = permutation(4096, secret, salt);
    expect([...whole.subarray(0, 8)]).toEqual(case_.permutation_4096.first);
    const words = new DataView(new ArrayBuffer(8192));
    whole.forEach((place, at) => words.setUint16(2 * at, place));
    expect(toHex(sha256(new Uint8Array(words.buffer)))).toBe(case_.permutation_4096.sha256_of_u16be);
    const shuffled = shuffle(picture, secret, salt);
    expect(toHex(sha256(shuffled))).toBe(case_.shuffled_sha256);
    expect(unshuffle(shuffled, secret, salt)).toEqual(picture);
  });
});

describe('pictures.json', () => {
  interface Valid {
    name: string;
    seed: string;
    primary: Ed25519Primary;
    key: string;
    bytes: string;
    picture: string;
    salt: string | null;
    member: Record<string, Json>;
  }
  interface Refused {
    name: string;
    member?: Json;
    with?: Record<string, Json>;
    without?: string[];
    error: string;
  }
  const file = vectors<{
    longest: { ct_bytes: number; preview_bytes: number };
    valid: Valid[];
    refused_changes_of: string;
    refused: Refused[];
    not_opened: { name: string; primary: Ed25519Primary; key: string; member: Json; error: string }[];
    own_refused: { name: string; seed: string; member: Json; error: string }[];
    bodies_refused: { name: string; body: Json }[];
  }>('pictures.json');
  const read = (member: Json) => readPicture(parse(JSON.stringify(member)));

  test.each(file.valid)('$name', async (case_) => {
    const picture = read(case_.member);
    const image = bytes(case_.bytes);
    expect(pictureHash(picture.ct)).toBe(case_.picture);
    expect(toBase64url(await openOwnKey(picture, key(case_.seed)))).toBe(case_.key);
    expect(await openPicture(picture, case_.primary, fromBase64url(case_.key))).toEqual(image);
    const secrets = { key: fromBase64url(case_.key), nonce: picture.nonce };
    expect(await sealPicture(image, case_.primary, secrets)).toEqual(picture.ct);
    expect(picture.preview && toBase64url(picture.preview.salt)).toBe(case_.salt ?? undefined);
    const { preview } = case_.member as { preview?: string };
    expect(read(pictureValue({ ...picture, preview }))).toEqual(picture);
  });
  test.each(file.refused)('$name', async ({ member, with: changed = {}, without = [], error }) => {
    const smallest = file.valid.find(({ name }) => name === file.refused_changes_of)?.member;
    const kept = Object.entries(smallest ?? {}).filter(([name]) => !without.includes(name));
    const whole = member ?? { ...Object.fromEntries(kept), ...changed };
    expect(await refusal(() => read(whole))).toBe(error);
  });
  test.each(file.not_opened)('not opened: $name', async ({ primary, key: secret, member, error }) => {
    expect(await refusal(() => openPicture(read(member), primary, fromBase64url(secret)))).toBe(error);
  });
  test.each(file.own_refused)('own key refused: $name', async ({ seed, member, error }) => {
    expect(await refusal(() => openOwnKey(read(member), key(seed)))).toBe(error);
  });
  test.each(file.bodies_refused)('body refused: $name', async ({ body }) => {
    expect(await refusal(() => readBody(body))).toBe('malformed');
  });

  test('the longest that is taken, and what is longer', async () => {
    const member = file.valid[0]?.member ?? {};
    const ofLength = (length: number) => ({ ...member, ct: toBase64url(new Uint8Array(length)) });
    expect(read(ofLength(file.longest.ct_bytes)).ct).toHaveLength(file.longest.ct_bytes);
    expect(await refusal(() => read(ofLength(file.longest.ct_bytes + 1)))).toBe('too_large');
    const preview = 'ü'.repeat(file.longest.preview_bytes / 2 + 1);
    expect(await refusal(() => read({ ...member, preview }))).toBe('too_large');
    const secrets = { key: new Uint8Array(32), nonce: new Uint8Array(12) };
    const primary = key(1).primary;
    expect(await sealPicture(new Uint8Array(MAX_PICTURE_BYTES), primary, secrets)).toHaveLength(
      file.longest.ct_bytes,
    );
    const longer = new Uint8Array(MAX_PICTURE_BYTES + 1);
    expect(await refusal(() => sealPicture(longer, primary, secrets))).toBe('too_large');
  });
});

test('the preview that is written is one that is read', async () => {
  const pixels = crypto.getRandomValues(new Uint8Array(64 * 64 * 3));
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const text = previewText(squarePng(pixels, 64), salt);
  expect(text.length).toBeLessThan(24 * 1024);
  expect(parsePreview(text)).toEqual({ url: text.split('#')[0], salt });
  const other = previewText(squarePng(pixels.subarray(0, 63 * 63 * 3), 63), salt);
  expect(await refusal(() => parsePreview(other))).toBe('malformed');
  const png: Bytes = squarePng(pixels, 64);
  for (const at of [4, 17, 25, 30, png.length - 1]) {
    const changed = png.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(await refusal(() => parsePreview(previewText(changed, salt)))).toBe('malformed');
  }
});

test('the key of a picture travels as it was', () => {
  const body = { kind: 'picture_key', key: new Uint8Array(32).fill(7), picture: 'ab'.repeat(32) } as const;
  expect(readBody(bodyValue(body))).toEqual(body);
  expect(utf8(JSON.stringify(bodyValue(body))).length).toBeLessThan(256);
});
