// Strict JSON and JCS where the shared vectors say nothing.
import { expect, test } from 'vitest';
import { compareUtf8, fromBase64url, utf8, utf8Length } from '../bytes.ts';
import { canonicalText } from '../canonical.ts';
import { endOfValue } from '../json-end.ts';
import { parse } from '../json.ts';
import { formatTime, parseTime } from '../timestamp.ts';
import { trim, trimAscii } from '../white-space.ts';
import { refusal } from './vectors.ts';

test.each([
  ['', ' ', '-', '01', '+1', '1.', '"\u0001"', '"\\ud83d\\u0041"', '{"a":1,}', '[1,]', 'nul', 'nulll'],
  ['-0.0', '1E2', '1e400', '18446744073709551616', '9223372036854775808', '-9007199254740992', '-0', '1.0'],
  [
    '"',
    '"a',
    '"\\',
    '"\\u12',
    '"\\x"',
    "'a'",
    '{',
    '{"a"',
    '{"a":',
    '{"a":1',
    '{a:1}',
    '[',
    '[1',
    '[1 2]',
    'tru',
  ],
  ['\ufeff1', '1\u00a0', '\u00a01', '/**/1', '"\ud800"', '{"a":1,"a":1}', '{"__proto__":1,"__proto__":2}'],
])('refuses %s and its like', async (...texts) => {
  for (const text of texts) expect(await refusal(() => parse(text)), text).toBe('malformed');
});

test('refuses bytes that are no UTF-8', async () => {
  for (const bytes of [
    [0x22, 0xff, 0x22],
    [0x22, 0xed, 0xa0, 0x80, 0x22],
    [0xef, 0xbb, 0xbf, 0x31],
  ]) {
    expect(await refusal(() => parse(Uint8Array.from(bytes)))).toBe('malformed');
  }
});

test('writes back what it reads', () => {
  const texts = ['0', '-9007199254740991', '9007199254740991', '""', '[]', '{}', 'null', 'true', 'false'];
  const names = [
    '{"__proto__":{"a":1},"constructor":2,"toString":3}',
    '{"":"\\u0000\\u001f\\"\\\\/\u007f\u2028"}',
  ];
  for (const text of [...texts, ...names, '[[],{},[{"a":[null,true]}]]']) {
    expect(canonicalText(parse(` \n\t\r${text} `))).toBe(text);
  }
});

test('a member called like a part of JavaScript is a member', () => {
  const object = parse('{"__proto__":{"isAdmin":true}}');
  expect((object as Record<string, unknown>)['isAdmin']).toBeUndefined();
  expect(Object.keys(object as object)).toEqual(['__proto__']);
});

test('sorts members by UTF-16', () => {
  expect(canonicalText(parse('{"\ue000":1,"\u{1f600}":2,"a":3}'))).toBe('{"a":3,"\u{1f600}":2,"\ue000":1}');
});

test('never writes what nobody would read', async () => {
  for (const value of ['\ud800', { '\udc00': 1 }, Number.NaN, Infinity]) {
    expect(await refusal(() => canonicalText(value))).toBe('malformed');
  }
});

test('texts are counted and ordered by their bytes', () => {
  for (const text of ['', 'a', 'ü€😀', '\u007f\u0080\u07ff\u0800\uffff\u{10ffff}']) {
    expect(utf8Length(text)).toBe(utf8(text).length);
  }
  expect(['\u{1f600}', '\ue000', 'a', 'ab', ''].sort(compareUtf8)).toEqual([
    '',
    'a',
    'ab',
    '\ue000',
    '\u{1f600}',
  ]);
});

test('base64url has one text for the same bytes', async () => {
  expect(fromBase64url('AQ')).toEqual(Uint8Array.of(1));
  for (const text of ['A', 'AR', 'AQ==', 'AQ=', 'A+', 'A/', 'A Q', 'ÄQ']) {
    expect(await refusal(() => fromBase64url(text)), text).toBe('malformed');
  }
});

test.each([
  ['1970-01-01T00:00:00Z', 0],
  ['2026-05-25T03:00:00Z', 1_779_678_000],
  ['2024-02-29T23:59:59Z', 1_709_251_199],
  ['0000-01-01T00:00:00Z', -62_167_219_200],
  ['9999-12-31T23:59:59Z', 253_402_300_799],
])('reads and writes %s', (text, seconds) => {
  expect(parseTime(text)).toBe(seconds);
  expect(formatTime(seconds)).toBe(text);
});

test.each([
  ...[
    '',
    '2026-05-25',
    '2026-05-25T03:00:00',
    '2026-05-25t03:00:00z',
    '2026-05-25 03:00:00Z',
    '2026-05-25T03:00:00.0Z',
  ],
  ...['2026-05-25T03:00:00+00:00', '2026-05-25T24:00:00Z', '2026-05-25T03:00:60Z', '2026-02-29T03:00:00Z'],
  ...['2026-13-01T03:00:00Z', '2026-00-01T03:00:00Z', '+026-05-25T03:00:00Z', '2026-05-2 T03:00:00Z'],
])('refuses the time %j', async (text) => {
  expect(await refusal(() => parseTime(text))).toBe('malformed');
});

test('times stay within four digits', () => {
  expect(formatTime(Number.MAX_SAFE_INTEGER)).toBe('9999-12-31T23:59:59Z');
  expect(formatTime(Number.MIN_SAFE_INTEGER)).toBe('0000-01-01T00:00:00Z');
});

test('white space is that of Rust', () => {
  expect(trim(' \u0085\u2003a b\u00a0\n')).toBe('a b');
  expect(trim('\ufeffa')).toBe('\ufeffa');
  expect(trimAscii(' \t\n\f\ra\u00a0 ')).toBe('a\u00a0');
});

test('finds where a value ends', () => {
  for (const value of [
    '1',
    '-1.5e3',
    '"a\\"}"',
    '[]',
    '{}',
    '[1,{"a":[]},"]"]',
    '{ "a" : { "a" : null } , "b":1}',
  ]) {
    expect(endOfValue(`${value}, rest`)).toBe(value.length);
    for (let length = 1; length < value.length; length++) {
      if (!/^-?[0-9]/.test(value)) expect(endOfValue(value.slice(0, length))).toBe('cut');
    }
  }
  for (const text of ['{]', '[}', '{"a" 1}', '{1:1}', '[1,]', 'x', '"\n"', '[1 2]']) {
    expect(endOfValue(text), text).toBe('broken');
  }
  expect(endOfValue('['.repeat(100_000) + ']'.repeat(100_000))).toBe(200_000);
});
