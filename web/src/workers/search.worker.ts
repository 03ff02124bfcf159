// The worker that searches: it reads the messages itself, so that a long history never stops the page.
import { openDatabase } from '../storage/database.ts';
import type { DataKeys } from '../storage/box.ts';
import type { KeptMessage } from '../storage/kept.ts';
import { Mailbox } from '../storage/mailbox.ts';
import { SearchIndex } from '../storage/search-index.ts';

/** What the page asks; answers carry the same number. */
export type SearchCall =
  | { call: 'open'; account: string; keys: DataKeys }
  | { call: 'add'; messages: KeptMessage[] }
  | { call: 'remove'; ids: string[] }
  | { call: 'find'; query: string; peer: string | undefined; limit: number }
  | { call: 'rebuild' }
  | { call: 'save' };

let index: SearchIndex | undefined;
/** Calls are carried out one after the other, as they came. */
let last: Promise<unknown> = Promise.resolve();

self.onmessage = ({ data: { number, ...call } }: MessageEvent<SearchCall & { number: number }>) => {
  last = last
    .then(() => carryOut(call as SearchCall))
    .then((value) => self.postMessage({ number, value }))
    .catch((error: unknown) => self.postMessage({ number, error: String(error) }));
};

async function carryOut(call: SearchCall): Promise<unknown> {
  switch (call.call) {
    case 'open': {
      const database = await openDatabase({ outdated: () => self.close() });
      index = new SearchIndex(new Mailbox(database, call.account, call.keys));
      return index.open((done, of) => self.postMessage({ progress: { done, of } }));
    }
    case 'add':
      index?.add(call.messages);
      return index?.save();
    case 'remove':
      return index?.remove(call.ids);
    case 'find':
      return index?.find(call.query, call.peer, call.limit) ?? [];
    case 'rebuild':
      return index?.rebuild();
    case 'save':
      return index?.save(1);
  }
}
