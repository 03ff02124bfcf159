// A page that nobody looks at: a phone stops it without a word, and the server, to which it seems connected for a while, would
// push nothing. Where pushes come, such a page leaves by itself, and is back when it is looked at.

/** Whoever only looks something up elsewhere is not gone, in milliseconds; and what was just sent is on its way. */
const PATIENCE = 3_000;

export interface DozeTerms {
  /** Whether somebody who is gone is woken by pushes. */
  isWoken(): boolean;
  leave(): Promise<void>;
  comeBack(): void;
}

export class Doze {
  readonly #terms: DozeTerms;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isAway = false;

  constructor(terms: DozeTerms) {
    this.#terms = terms;
  }

  /** Whether the page has left, and is not back yet. */
  get isAway(): boolean {
    return this.#isAway;
  }

  /** Computers let a hidden page go on: it tells of messages by itself. */
  hidden(): void {
    clearTimeout(this.#timer);
    if (isPhone()) this.#timer = setTimeout(() => this.frozen(), PATIENCE);
  }

  /** The browser stops the page now. */
  frozen(): void {
    clearTimeout(this.#timer);
    if (this.#isAway || !this.#terms.isWoken()) return;
    this.#isAway = true;
    void this.#terms.leave();
  }

  looked(): void {
    clearTimeout(this.#timer);
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#terms.comeBack();
  }

  /** The account is locked: nobody is to come back. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#isAway = false;
  }
}

function isPhone(): boolean {
  return globalThis.matchMedia?.('(pointer: coarse)').matches ?? false;
}
