// What somebody types to restore an identity, told apart by itself; and the words of a new one.
import {
  PhraseFault,
  parseHexSeed,
  parsePhrase,
  phraseOf,
  recover,
  wordsBeginning,
} from '../crypto/phrase.ts';
import type { Ed25519Primary } from '../crypto/primary.ts';

/** What the text in the restore field is, as far as it was typed. */
export type SecretReading =
  | { kind: 'empty' }
  | { kind: 'incomplete'; words: number }
  | { kind: 'incomplete'; digits: number }
  | { kind: 'words'; count: 12 | 24 }
  | { kind: 'seed' }
  /** `unknown_word` (which, counted from 1), `bad_checksum`, `wrong_count`, `bad_seed`. */
  | { kind: 'wrong'; code: string; word?: string; position?: number };

export function readSecret(typed: string): SecretReading {
  const text = withoutList(typed);
  const words = text.split(/\p{White_Space}+/u).filter((word) => word !== '');
  const [first = ''] = words;
  if (words.length === 0) return { kind: 'empty' };
  if (words.length === 1 && looksLikeHex(first)) {
    if (parseHexSeed(first)) return { kind: 'seed' };
    return first.length < 64 && /^[0-9a-f]+$/i.test(first)
      ? { kind: 'incomplete', digits: first.length }
      : bad('bad_seed');
  }
  return unknownWord(words, /\p{White_Space}$/u.test(text)) ?? readPhrase(text, words.length);
}

/** Whose secret it is. */
export function primaryOfSecret(text: string): Ed25519Primary {
  const { key } = recoverTyped(text);
  key.forget();
  return key.primary;
}

/** The key in what somebody typed, as it was read. */
export function recoverTyped(text: string): ReturnType<typeof recover> {
  return recover(withoutList(text));
}

/** Without what stands around words that were pasted from a list: its numbers, and commas. */
function withoutList(text: string): string {
  return text
    .replace(/[,;]/g, ' ')
    .replace(/(^|\p{White_Space})\d{1,2}[.):]/gu, '$1 ')
    .replace(/(^|\p{White_Space})\d{1,2}(?=\p{White_Space})|\p{White_Space}\d{1,2}$/gu, ' ');
}

/** No word of the list has a digit, and none is so long. */
function looksLikeHex(word: string): boolean {
  return /\d/.test(word) || word.length > 8;
}

/** The first word that is none of the list; of the last one, which may still be typed, whether it begins one. */
function unknownWord(words: readonly string[], isLastDone: boolean): SecretReading | undefined {
  const at = words.findIndex((word, place) => {
    const lower = word.toLowerCase();
    const mayGoOn = place === words.length - 1 && !isLastDone && words.length !== 12 && words.length !== 24;
    const candidates = wordsBeginning(lower, mayGoOn ? 1 : 4);
    return mayGoOn ? candidates.length === 0 : !candidates.includes(lower);
  });
  const word = words[at];
  return word === undefined ? undefined : { ...bad('unknown_word'), word, position: at + 1 };
}

function readPhrase(text: string, words: number): SecretReading {
  try {
    parsePhrase(text).seed.fill(0);
    return { kind: 'words', count: words === 24 ? 24 : 12 };
  } catch (error) {
    if (!(error instanceof PhraseFault)) throw error;
    if (error.problem.reason === 'word count')
      return words < 24 ? { kind: 'incomplete', words } : bad('wrong_count');
    // Twelve words of twenty-four are a phrase with a wrong checksum.
    return bad('bad_checksum');
  }
}

function bad(code: string): SecretReading & { kind: 'wrong' } {
  return { kind: 'wrong', code };
}

/** 12 or 24 words of fresh entropy. */
export function drawWords(count: 12 | 24): string[] {
  const entropy = crypto.getRandomValues(new Uint8Array(count === 12 ? 16 : 32));
  const words = phraseOf(entropy).split(' ');
  entropy.fill(0);
  return words;
}
