// The forms of claims, and claims anywhere in a text: the same stories as Rust's.
import { expect, test } from 'vitest';
import { fromBase64url, fromUtf8, toBase64url, utf8 } from '../bytes.ts';
import { checkClaim, createClaim, parseClaim } from '../claim.ts';
import { compactClaim, decodeClaim, markdownClaim, MAX_ENVELOPE_BYTES, txtPieces } from '../claim-forms.ts';
import { findClaims, MAX_FOUND } from '../claim-search.ts';
import { frameOf, unframe } from '../zstd/frame.ts';
import { key, refusal } from './vectors.ts';

const ENVELOPE = '{"kez":"claim","payload":{"a":"b } c"},"signature":{"sig":""}}';
const compact = compactClaim(ENVELOPE);
const fence = markdownClaim(ENVELOPE);

test.each([
  ENVELOPE,
  compact,
  fence,
  `\n  ${compact} \r\n`,
  `~~~~ kez \r\n${compact}\r\n~~~~~\r\n`,
  `   \`\`\`kez\n\n${ENVELOPE}\n\n  \`\`\`   `,
  txtPieces(compact).join(''),
])('reads the form %j', (form) => {
  expect(decodeClaim(form)).toBe(ENVELOPE);
});

test.each([
  ...['', 'kez:z1:', '[]', '"kez"', ENVELOPE + ENVELOPE, `${compact}=`, `${compact}\n${compact}`],
  ...[compact.replace('z1', 'z2'), compactClaim('[]'), compactClaim(compact), markdownClaim(fence)],
  ...[fence.replace('kez\n', 'json\n'), fence.replace('\n```\n', '\n``\n')],
  ...[`\`\`\`\`kez\n${ENVELOPE}\n\`\`\``, `\`\`\`kez\n${ENVELOPE}\n\`\`\`\nand more`],
])('refuses the form %j', async (form) => {
  expect(await refusal(() => decodeClaim(form))).toBe('malformed');
});

test('is bounded', async () => {
  const padded = (length: number) => `{${' '.repeat(length - 2)}}`;
  const [longest, tooLong] = [padded(MAX_ENVELOPE_BYTES), padded(MAX_ENVELOPE_BYTES + 1)];
  for (const form of [compactClaim, markdownClaim, (text: string) => text]) {
    expect(decodeClaim(form(longest))).toBe(longest);
    expect(await refusal(() => decodeClaim(form(tooLong)))).toBe('too_large');
  }
  expect(await refusal(() => decodeClaim(' '.repeat(2 * MAX_ENVELOPE_BYTES + 1)))).toBe('too_large');
});

test('pieces are short and whole', () => {
  for (const [text, lengths] of [
    ['', [0]],
    ['x'.repeat(255), [255]],
    ['x'.repeat(256), [255, 1]],
    ['ü'.repeat(128), [254, 2]],
  ] as const) {
    expect(txtPieces(text).map((piece) => utf8(piece).length)).toEqual(lengths);
    expect(txtPieces(text).join('')).toBe(text);
  }
});

test.each([
  `Hello {world} — my claim: ${ENVELOPE}.`,
  `<p>${compact}</p>`,
  `see (kez ${compact}), thank you`,
  `# Me\n\n\`\`\`rust\nfn main() {}\n\`\`\`\n\n${fence}\nbye`,
  `\`\`\`json\n${ENVELOPE}\n\`\`\``,
  `> \`\`\`kez\n> ${ENVELOPE}\n> \`\`\``,
  `\`\`\`kez ${compact} \`\`\``,
  `~~~kez\n${compact}\n`,
])('finds the claim in %j', (text) => {
  expect(findClaims(text)).toEqual([{ envelope: ENVELOPE }]);
});

test('finds all of them, in order', () => {
  const pretty = '{\n "signature": {"sig": ""},\n "kez": "claim", "payload": {}\n}';
  const found = findClaims(`${fence}${compact} ${ENVELOPE}${pretty}\n${fence}`);
  expect(found).toEqual([ENVELOPE, ENVELOPE, ENVELOPE, pretty, ENVELOPE].map((envelope) => ({ envelope })));
});

test.each(['', 'hello', '{"a":1}', 'kez:', 'kez:z2:abc', '```kezx\n1\n```', '{', '{ "ke": 1 }'])(
  '%j holds no claim',
  (text) => expect(findClaims(text)).toEqual([]),
);

const cut = ENVELOPE.slice(0, 40);

test.each(['kez:z1:', 'kez:z1:abc', '```kez\nhello\n```', '```kez\n```', '```kez', cut, '{"kez":1.5}'])(
  '%j holds a broken claim',
  (text) => expect(findClaims(text)).toEqual([{ fault: 'malformed' }]),
);

test('goes on after a broken claim', () => {
  expect(findClaims(`${cut} ${ENVELOPE}`)).toEqual([{ fault: 'malformed' }, { envelope: ENVELOPE }]);
});

test('the search is bounded in number and size', () => {
  expect(findClaims(`${ENVELOPE} `.repeat(MAX_FOUND + 1))).toHaveLength(MAX_FOUND);
  expect(findClaims('{"kez":'.repeat(100_000))).toHaveLength(MAX_FOUND);
  expect(findClaims('{ '.repeat(500_000))).toEqual([]);
  const long = `{"kez":"${'ü'.repeat(MAX_ENVELOPE_BYTES)}"}`;
  for (const text of [
    long,
    `kez:z1:${'A'.repeat(1_000_000)}`,
    `\`\`\`kez\n${long}\n\`\`\`\n`,
    compactClaim(long),
  ]) {
    expect(findClaims(text)).toEqual([{ fault: 'too_large' }]);
  }
});

test('a claim is of one account, by one identity, for a time', async () => {
  const [alice, now] = [key(1), 1_779_678_000];
  for (const expiresAt of [undefined, now + 1]) {
    const claim = await parseClaim(await createClaim('dns:kez.lat', now, expiresAt, alice));
    expect(claim).toEqual({ subject: 'dns:kez.lat', primary: alice.primary, createdAt: now, expiresAt });
    const check = (subject: typeof claim.subject, primary: typeof claim.primary, at: number) =>
      refusal(() => checkClaim(claim, subject, primary, at));
    expect(await check('dns:kez.lat', alice.primary, now)).toBe(null);
    expect(await check('dns:other', key(2).primary, now + 1)).toBe('wrong_subject');
    expect(await check('dns:kez.lat', key(2).primary, now + 1)).toBe('wrong_primary');
    expect(await check('dns:kez.lat', alice.primary, now + 1)).toBe(expiresAt ? 'expired' : null);
  }
});

// What the reference compressor made of forty lines: Huffman trees, tables and repeated offsets, with a checksum and without.
const LINES = Array.from(
  { length: 40 },
  (_, line) => `{"seq":${line},"op":"add","subject":"github:user${(line * line) % 97}"}\n`,
).join('');

test.each([
  'KLUv_WRvBpUFAMJLHxiAS9paKHUgbbZFQkZU3lJo5U7pBBzRpE6ACN3lD_Htuf3esyfW7b_MR-yPze3SiDZ2XHl-mZvlqvvSvtWusTnZH2t56rv2VvV5T7nl9qbFrMOscz-zXStfbgERMg1leSSDx8GBMFBCDoKSGDwWClChIKCEFgoKmIQYykKQTqghNH7_3-AtBxGMEPQFRPh_f00gRqtxlsh0glBSuoXY-ziyTexU9HSpKBF5SMsRSFW_RiMN',
  'KLUv_WBvBiUGACJKHRtwSdMG3ner-h-BWdPq_2-eRG5uyY36vfrvGQLDQv_6qq5Ko-86evVsZh-aVctpxl9Vg3k31t35a8YyK2Mm11bc_I1n6Sxzle5d9_I-Gr5ufVY1LGQQDkQ5hSKQDATQoQTgICgUhAgyjAIdMiggwhw6OBBKCE6oMYS-_2-gM5M2EphBIFFmBP8v_rXGzZHGPHECESJF1rAqOTME5KAwFSVa42mEvIyVci_z9-ytETrh2sCy1tWV_KBSpVQEExyntgo',
])('reads what others compress, whole and nothing else', async (text) => {
  const frame = fromBase64url(text);
  expect(fromUtf8(unframe(frame, LINES.length))).toBe(LINES);
  expect(await refusal(() => unframe(frame, LINES.length - 1))).toBe('too_large');
  for (let length = 0; length < frame.length; length++) {
    expect(await refusal(() => unframe(frame.subarray(0, length), LINES.length))).toBe('malformed');
  }
  for (let bit = 0; bit < frame.length * 8; bit++) {
    const damaged = frame.slice();
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(await refusal(() => unframe(damaged, LINES.length))).toSatisfy(
      (code) => code === null || code === 'malformed' || code === 'too_large',
    );
  }
  expect(await refusal(() => unframe(new Uint8Array([...frame, 0]), LINES.length))).toBe('malformed');
});

/** A frame with a window of 128 KiB, without a size or a checksum, of blocks that say one byte so many times. */
function runs(...lengths: number[]): Uint8Array {
  const blocks = lengths.flatMap((length, place) => {
    const header = length * 8 + 2 + (place === lengths.length - 1 ? 1 : 0);
    return [header & 0xff, (header >> 8) & 0xff, header >> 16, 0x78];
  });
  return Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0x38, ...blocks);
}

test('stops at the limit, and believes no announcement', async () => {
  const limit = MAX_ENVELOPE_BYTES;
  expect(unframe(runs(limit), limit)).toHaveLength(limit);
  expect(await refusal(() => unframe(runs(limit + 1), limit))).toBe('too_large');
  expect(await refusal(() => unframe(runs(...Array<number>(17).fill(1024)), limit))).toBe('too_large');
  const huge = [0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 1, 0, 0, 0x13, 0, 0, 0x78];
  expect(await refusal(() => unframe(Uint8Array.from(huge), limit))).toBe('too_large');
  for (const [length, code] of [
    [2, null],
    [3, 'malformed'],
    [1, 'malformed'],
  ] as const) {
    const small = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 2, length * 8 + 3, 0, 0, 0x78);
    expect(await refusal(() => unframe(small, limit))).toBe(code);
  }
});

test('reads the frames that it writes', () => {
  for (const length of [0, 1, 255, 16_384, 131_072, 131_073, 400_000]) {
    const bytes = Uint8Array.from({ length }, (_, place) => (place * place) % 251);
    expect(toBase64url(unframe(frameOf(bytes), length))).toBe(toBase64url(bytes));
  }
});
