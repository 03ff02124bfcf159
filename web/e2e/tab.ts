// A tab of a browser that Node plays: the same state as in pages, with its work in this thread and storage in memory. Tabs of
// the same browser share their storage, and all that is in it.
import { imageHeader } from '../src/crypto/image-header.ts';
import { squarePng } from '../src/crypto/png.ts';
import { previewText } from '../src/crypto/preview.ts';
import { shuffle } from '../src/crypto/visual.ts';
import { Refusal } from '../src/nats/refusal.ts';
import { Clock } from '../src/state/clock.svelte.ts';
import { Kez } from '../src/state/composition.ts';
import type { Draw } from '../src/state/profile.svelte.ts';
import type { Searcher } from '../src/state/search.svelte.ts';
import type { DataKeys } from '../src/storage/box.ts';
import { openDatabase } from '../src/storage/database.ts';
import { Mailbox } from '../src/storage/mailbox.ts';
import { SearchIndex } from '../src/storage/search-index.ts';
import type { SearchCall } from '../src/workers/search.worker.ts';
import { tasks } from '../src/workers/tasks.ts';

export interface Tab {
  kez: Kez;
  /** What the browser keeps beside its database. */
  store: Map<string, string>;
  /** Closes the tab: what is in memory is gone, what is stored stays. */
  close(): Promise<void>;
}

const stores = new Map<string, Map<string, string>>();

export function openTab(origin: string, browser: string, clock = new Clock()): Tab {
  const store = stores.get(browser) ?? new Map<string, string>();
  stores.set(browser, store);
  const kez = new Kez({
    origin,
    // Argon2id at its full strength, once per passphrase, is slow enough to matter here.
    work: {
      ...tasks,
      newDerivation: async () => ({ name: 'pbkdf2-sha256', passes: 1000, salt: new Uint8Array(16) }),
    },
    searcher: () => new SearcherHere(browser),
    draw: drawHere,
    store: {
      getItem: (name) => store.get(name) ?? null,
      setItem: (name, value) => void store.set(name, value),
      removeItem: (name) => void store.delete(name),
    },
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/150.0 Safari/537.36',
    databaseName: browser,
    clock,
  });
  return { kez, store, close: () => kez.close() };
}

/** Node has no canvas: a picture that needs no drawing stays as it is, and strangers see a shuffled slope of colours. */
const drawHere: Draw = async (file, key, salt) => {
  const image = new Uint8Array(await file.arrayBuffer());
  const header = imageHeader(image);
  if (header?.type !== 'image/webp') throw new Refusal('not_a_picture');
  const slope = Uint8Array.from({ length: 64 * 64 * 3 }, (_, at) => at >> 6);
  return { image, type: header.type, preview: previewText(squarePng(shuffle(slope, key, salt), 64), salt) };
};

class SearcherHere implements Searcher {
  readonly #browser: string;
  #index: SearchIndex | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(browser: string) {
    this.#browser = browser;
  }

  ask(call: SearchCall): Promise<unknown> {
    return (this.#last = this.#last.then(() => this.#carryOut(call)));
  }

  async find(query: string, peer: string | undefined, limit: number) {
    await this.#last;
    return this.#index?.find(query, peer, limit) ?? [];
  }

  stop(): void {
    this.#index = undefined;
  }

  async #carryOut(call: SearchCall): Promise<unknown> {
    if (call.call === 'open') return this.#open(call.account, call.keys);
    if (call.call === 'add') return this.#index?.add(call.messages);
    if (call.call === 'remove') return this.#index?.remove(call.ids);
    return call.call === 'save' ? this.#index?.save(1) : this.#index?.rebuild();
  }

  async #open(account: string, keys: DataKeys): Promise<void> {
    const database = await openDatabase({ outdated: () => undefined }, this.#browser);
    this.#index = new SearchIndex(new Mailbox(database, account, keys));
    await this.#index.open(() => undefined);
  }
}
