// Search over what was decrypted, in a worker; its index is encrypted at rest.
import type { Found } from '../storage/search-index.ts';
import type { SearchCall } from '../workers/search.worker.ts';
import type { News, Unlocked } from './unlocked.ts';

export interface Hit {
  peer: string;
  id: string;
  at: number;
  isMine: boolean;
  text: string;
}

/** Whoever searches: a worker in the browser. */
export interface Searcher {
  ask(call: SearchCall): Promise<unknown>;
  find(query: string, peer: string | undefined, limit: number): Promise<Found[]>;
  stop(): void;
}

/** Starts one; it is told how far building the index is. */
export type StartSearcher = (progress: (progress: { done: number; of: number }) => void) => Searcher;

/** The index is written so long after it changed, in milliseconds. */
const SAVE_DELAY = 30_000;

export class Search {
  /** Whether the index can answer; while it is rebuilt, `progress` says how far it is. */
  isReady = $state(false);
  progress = $state.raw<{ done: number; of: number } | null>(null);

  readonly #start: StartSearcher;
  #account: Unlocked | undefined;
  #searcher: Searcher | undefined;
  #saving: ReturnType<typeof setTimeout> | undefined;

  constructor(start: StartSearcher) {
    this.#start = start;
  }

  /** The worker is started by the first search, or the first message: not while the page is still being drawn. */
  unlocked(account: Unlocked): void {
    this.#account = account;
  }

  locked(): void {
    clearTimeout(this.#saving);
    this.#saving = undefined;
    this.#searcher?.stop();
    this.#searcher = undefined;
    this.#account = undefined;
    this.isReady = false;
    this.progress = null;
  }

  /** The best first; of one chat when `peer` is given. */
  async find(query: string, peer?: string, limit = 50): Promise<Hit[]> {
    const account = this.#account;
    if (!account || query.trim() === '') return [];
    const found = await this.#opened(account).find(query, peer, limit);
    const messages = new Map(
      (await account.mailbox.byIds(found.map(({ id }) => id))).map((one) => [one.id, one]),
    );
    return found.flatMap(({ id }) => {
      const message = messages.get(id);
      if (!message || message.text === null) return [];
      const { peer, at, isMine, text } = message;
      return [{ peer, id, at, isMine, text }];
    });
  }

  /** New messages are found too. */
  hear(news: News): void {
    if (!this.#searcher) return;
    if (news.kind === 'reloaded') void this.#searcher.ask({ call: 'rebuild' });
    if (news.kind !== 'mail') return;
    if (news.messages.length > 0) void this.#searcher.ask({ call: 'add', messages: news.messages });
    if (news.removed.length > 0) void this.#searcher.ask({ call: 'remove', ids: news.removed });
    this.#saving ??= setTimeout(() => {
      this.#saving = undefined;
      void this.#searcher?.ask({ call: 'save' });
    }, SAVE_DELAY);
  }

  #opened(account: Unlocked): Searcher {
    if (this.#searcher) return this.#searcher;
    const searcher = this.#start((progress) => (this.progress = progress));
    this.#searcher = searcher;
    const { account: primary, keys } = account.mailbox;
    void searcher
      .ask({ call: 'open', account: primary, keys })
      .then(() => (this.isReady = this.#searcher === searcher))
      .catch(() => undefined)
      .finally(() => (this.progress = null));
    return searcher;
  }
}
