// Recovery phrases: twelve or twenty-four English words that hold a key (protocol section 2).
import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concat, fromHex, utf8, type Bytes } from './bytes.ts';
import { SecretKey } from './keys.ts';

/** What is hashed before the entropy of twelve words, so that no other use of it yields the same seed. */
const TWELVE_WORDS = utf8('kez-bip39-12-v1');

/** What is wrong with a phrase. It names places, never words: a phrase with one mistake is still a secret. */
export type PhraseProblem =
  | { reason: 'empty' }
  | { reason: 'word count'; found: number }
  | { reason: 'unknown word'; position: number }
  | { reason: 'checksum' };

export class PhraseFault extends Error {
  override readonly name = 'PhraseFault';
  readonly problem: PhraseProblem;

  constructor(problem: PhraseProblem) {
    super(problem.reason);
    this.problem = problem;
  }
}

const places = new Map(wordlist.map((word, place) => [word, place]));

/** The phrase that holds these 16 or 32 random bytes: 12 or 24 words. */
export function phraseOf(entropy: Uint8Array): string {
  if (entropy.length !== 16 && entropy.length !== 32) throw new Error('a phrase holds 16 or 32 bytes');
  return entropyToMnemonic(entropy, wordlist);
}

/** Reads a phrase; case and white space do not matter. Its problems come in the order of `PhraseProblem`. */
export function parsePhrase(text: string): { words: string; seed: Bytes } {
  const words = text.split(/\p{White_Space}+/u).filter((word) => word !== '');
  const found = words.length;
  if (found === 0) throw new PhraseFault({ reason: 'empty' });
  if (found !== 12 && found !== 24) throw new PhraseFault({ reason: 'word count', found });
  // ASCII only, as in Rust: no other letter becomes one of the list's.
  const lower = words.map((word) => word.replace(/[A-Z]/g, (letter) => letter.toLowerCase()));
  const unknown = lower.findIndex((word) => !places.has(word));
  if (unknown >= 0) throw new PhraseFault({ reason: 'unknown word', position: unknown + 1 });
  const phrase = lower.join(' ');
  return { words: phrase, seed: seedOf(entropyOf(phrase)) };
}

/** The seed in 64 hexadecimal digits, for those who kept that; none for every other text. */
export function parseHexSeed(text: string): Bytes | undefined {
  return fromHex(text.trim().toLowerCase(), 32);
}

/** The key in what someone kept: 12 words, 24 words or 64 hexadecimal digits, told apart by itself. */
export function recover(text: string): { key: SecretKey; words: string | undefined } {
  const hex = parseHexSeed(text);
  const { words, seed } = hex ? { words: undefined, seed: hex } : parsePhrase(text);
  const key = SecretKey.fromSeed(seed);
  seed.fill(0);
  return { key, words };
}

/** Which words of the list begin so, for those who type a phrase word by word. */
export function wordsBeginning(letters: string, most: number): string[] {
  return wordlist.filter((word) => word.startsWith(letters)).slice(0, most);
}

function entropyOf(phrase: string): Uint8Array {
  try {
    return mnemonicToEntropy(phrase, wordlist);
  } catch {
    throw new PhraseFault({ reason: 'checksum' });
  }
}

/** The entropy of 24 words itself, or SHA-256(`kez-bip39-12-v1` ‖ entropy) of 12. */
function seedOf(entropy: Uint8Array): Bytes {
  return new Uint8Array(entropy.length === 32 ? entropy : sha256(concat(TWELVE_WORDS, entropy)));
}
