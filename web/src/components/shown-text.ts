// Makes what strangers wrote fit to be shown: names stay one quiet line, and emoji are counted.
const segments = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const emoji = new RegExp('^(\\p{RGI_Emoji}|\\p{Extended_Pictographic}\\uFE0F?)$', 'v');

/** Controls, line breaks and marks that turn the direction of text: none has a place in a name. */
const unwanted = /[\p{Cc}\p{Cs}\u061C\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\uFEFF]/gu;

/** A name as one line of at most 64 characters, each with at most two marks above or below it. */
export function shownName(name: string): string {
  const plain = name
    .slice(0, 512)
    .replace(unwanted, ' ')
    .replace(/(\p{M}{2})\p{M}+/gu, '$1')
    // What joins letters joins nothing where a name begins.
    .replace(/^[\s\u200C\u200D]+/u, '');
  const graphemes = [...segments.segment(plain.replace(/\s+/g, ' ').trim())].map((part) => part.segment);
  return graphemes.length > 64 ? `${graphemes.slice(0, 63).join('')}…` : graphemes.join('');
}

/** How many emoji a text is, if it is nothing else and at most six; 0 otherwise. */
export function emojiOnly(text: string): number {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed.length > 100) return 0;
  const parts = [...segments.segment(trimmed)]
    .map((part) => part.segment)
    .filter((part) => part.trim() !== '');
  return parts.length <= 6 && parts.every((part) => emoji.test(part)) ? parts.length : 0;
}

/** The start of a text as one line, for a row of the list. */
export function preview(text: string): string {
  return text
    .slice(0, 300)
    .replace(unwanted, ' ')
    .replace(/(\p{M}{2})\p{M}+/gu, '$1')
    .replace(/\s+/g, ' ')
    .trim();
}

/** A key as a person can compare it: groups of four digits. */
export function grouped(hex: string): string {
  return hex.replace(/(.{4})(?=.)/g, '$1 ');
}

/** The start and the end of an identity's key, for where there is no name. */
export function shortKey(primary: string): string {
  const key = primary.slice(primary.indexOf(':') + 1);
  return key.length > 14 ? `${key.slice(0, 6)}…${key.slice(-6)}` : key;
}
