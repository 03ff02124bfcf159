// What people in the benchmark write: words of one vocabulary, a few of them in every other message, most of them rare.
const SYLLABLES = 'ka re mi no tu sha len dor vi pel san go bri fa quo zem lu ty wen ox'.split(' ');

/** So many words there are. */
const VOCABULARY = 8_000;

/** The same texts in every run. */
export class Writer {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A message of three to twenty words. */
  text(): string {
    const length = 3 + this.#below(18);
    return Array.from({ length }, () => this.word()).join(' ');
  }

  texts(count: number): string[] {
    return Array.from({ length: count }, () => this.text());
  }

  /** The n-th word comes about 1/n as often as the first, as in every language. */
  word(): string {
    return nth(Math.floor(VOCABULARY ** this.#fraction()));
  }

  #below(limit: number): number {
    return Math.floor(this.#fraction() * limit);
  }

  /** A linear congruence: nothing here has to be hard to guess. */
  #fraction(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#state / 2 ** 32;
  }
}

/** Each number's own word. */
function nth(number: number): string {
  const count = SYLLABLES.length;
  const syllables = [number % count, Math.floor(number / count) % count, Math.floor(number / count ** 2)];
  return syllables.map((syllable) => SYLLABLES[syllable % count] ?? '').join('');
}
