// What is typed and not sent: encrypted with every key, written soon after the last one, and at once when the page goes.
import type { Unlocked } from './unlocked.ts';

/** How the names of these notes begin. */
export const DRAFTS = 'draft:';

/** Drafts are notes: each names its chat, which its own name does not. */
export interface Draft {
  peer: string;
  text: string;
  /** Milliseconds; none for one that came with an archive. */
  at?: number;
}

/** What is typed is written so many milliseconds after the last key. */
const DELAY = 400;

interface Waiting {
  text: string;
  timer: ReturnType<typeof setTimeout>;
  /** Writes it without waiting for anything, once it is encrypted. */
  write?: () => Promise<void>;
  ready: Promise<void>;
}

export class Drafts {
  readonly #account: Unlocked;
  readonly #waiting = new Map<string, Waiting>();

  constructor(account: Unlocked) {
    this.#account = account;
  }

  /** What was typed to somebody and is not written yet. */
  waiting(peer: string): string | undefined {
    return this.#waiting.get(peer)?.text;
  }

  keepSoon(peer: string, text: string): void {
    clearTimeout(this.#waiting.get(peer)?.timer);
    const timer = setTimeout(() => void this.#keep(peer).catch(() => undefined), DELAY);
    const waiting: Waiting = { text, timer, ready: Promise.resolve() };
    waiting.ready = this.#encrypt(peer, text).then((write) => void (waiting.write = write));
    // Whoever waits for it hears of it.
    waiting.ready.catch(() => undefined);
    this.#waiting.set(peer, waiting);
  }

  /** Writes all of them; nothing is lost when one cannot be written. */
  async keep(): Promise<void> {
    await Promise.allSettled([...this.#waiting.keys()].map((peer) => this.#keep(peer)));
  }

  /** Writes what is encrypted: a page that goes waits for nothing. */
  keepNow(): void {
    for (const [peer, { text, write }] of this.#waiting) {
      if (write) void this.#written(peer, text, write()).catch(() => undefined);
    }
  }

  async #keep(peer: string): Promise<void> {
    const waiting = this.#waiting.get(peer);
    if (!waiting) return;
    clearTimeout(waiting.timer);
    await waiting.ready;
    // Something else was typed meanwhile.
    if (this.#waiting.get(peer) !== waiting || !waiting.write) return;
    await this.#written(peer, waiting.text, waiting.write());
  }

  async #written(peer: string, text: string, writing: Promise<void>): Promise<void> {
    clearTimeout(this.#waiting.get(peer)?.timer);
    this.#waiting.delete(peer);
    await writing;
    this.#account.tabs.tell({ kind: 'draft', peer, text });
  }

  async #encrypt(peer: string, text: string): Promise<() => Promise<void>> {
    const { mailbox } = this.#account;
    const kept: Draft | undefined = text === '' ? undefined : { peer, text, at: Date.now() };
    return mailbox.prepareNote(await mailbox.noteAbout('draft', peer), kept);
  }
}
