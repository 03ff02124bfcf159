// The index over all that was said: in memory while unlocked, encrypted at rest, and rebuilt from the messages when missing.
import MiniSearch from 'minisearch';
import type { KeptMessage } from './kept.ts';
import { SEARCH_INDEX, type Mailbox } from './mailbox.ts';

/** What is indexed of a message. */
interface Entry {
  id: string;
  peer: string;
  text: string;
}

/** The index as a note: up to which place of each chat it goes. Of version 1 an import left places that are others now. */
interface KeptIndex {
  version: 2;
  json: string;
  places: [peer: string, place: number][];
}

export interface Found {
  id: string;
  peer: string;
  score: number;
}

/** Messages that are read and indexed at a time. */
const BATCH = 500;
/** Changes after which it is worth writing the index. */
const WORTH = 200;

const OPTIONS = {
  fields: ['text'],
  storeFields: ['peer'],
  // Letters of every script, and digits; the rest separates.
  tokenize: (text: string) => text.split(/[^\p{L}\p{N}\p{M}_]+/u).filter((word) => word !== ''),
  processTerm: (term: string) => term.normalize('NFKC').toLowerCase(),
};

export class SearchIndex {
  readonly #mailbox: Mailbox;
  #index = new MiniSearch<Entry>(OPTIONS);
  #places = new Map<string, number>();
  #changes = 0;

  constructor(mailbox: Mailbox) {
    this.#mailbox = mailbox;
  }

  /** Reads the index and adds what came since; `progress` hears of messages done, when there are many. */
  async open(progress: (done: number, of: number) => void): Promise<void> {
    await this.#read();
    const [chats, total] = [await this.#mailbox.chats(), await this.#mailbox.count()];
    let done = Math.min(this.#index.documentCount, total);
    for (const { peer } of chats) {
      for (;;) {
        const messages = await this.#mailbox.from(peer, (this.#places.get(peer) ?? 0) + 1, BATCH);
        if (messages.length === 0) break;
        this.add(messages);
        done = Math.min(done + messages.length, total);
        progress(done, total);
      }
    }
    await this.save();
  }

  /** Adds messages; those that are there already stay as they are. */
  add(messages: readonly KeptMessage[]): void {
    for (const { id, peer, place, text } of messages) {
      this.#places.set(peer, Math.max(this.#places.get(peer) ?? 0, place));
      this.#changes++;
      if (text !== null && !this.#index.has(id)) this.#index.add({ id, peer, text });
    }
  }

  remove(ids: readonly string[]): void {
    for (const id of ids.filter((id) => this.#index.has(id))) this.#index.discard(id);
    this.#changes += ids.length;
  }

  /** The best first: all words, the last one as the beginning of one. */
  find(query: string, peer: string | undefined, limit: number): Found[] {
    const found = this.#index.search(query, {
      combineWith: 'AND',
      prefix: true,
      ...(peer === undefined ? {} : { filter: (result) => result['peer'] === peer }),
    });
    return found
      .slice(0, limit)
      .map(({ id, score, ...rest }) => ({ id: String(id), peer: String(rest['peer']), score }));
  }

  /** Writes the index, encrypted, when enough has changed. */
  async save(worth = WORTH): Promise<void> {
    if (this.#changes < worth) return;
    this.#changes = 0;
    const kept: KeptIndex = { version: 2, json: JSON.stringify(this.#index), places: [...this.#places] };
    await this.#mailbox.commit({ notes: { [SEARCH_INDEX]: kept } });
  }

  /** Forgets it all, in storage too: what it covers has been put in another order. */
  async rebuild(): Promise<void> {
    this.#index = new MiniSearch<Entry>(OPTIONS);
    this.#places.clear();
    await this.#mailbox.commit({ notes: { [SEARCH_INDEX]: undefined } });
    await this.open(() => undefined);
  }

  async #read(): Promise<void> {
    try {
      const kept = (await this.#mailbox.note(SEARCH_INDEX)) as KeptIndex | undefined;
      if (kept?.version !== 2) return;
      this.#index = MiniSearch.loadJSON<Entry>(kept.json, OPTIONS);
      this.#places = new Map(kept.places);
    } catch {
      // A broken index is built anew: it holds nothing that the messages do not.
      this.#places.clear();
    }
  }
}
