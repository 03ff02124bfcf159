// The one transaction in which everything about mail is written: what was encrypted before, all of it or nothing.
import type { IDBPTransaction } from 'idb';
import type { Box } from './box.ts';
import type { ChatRow, Database, MessageRow, OutboxRow, Schema } from './schema.ts';

/** A `Change`, encrypted. */
export interface Prepared {
  add: readonly MessageRow[];
  update: readonly MessageRow[];
  remove: readonly MessageRow[];
  chats: readonly ChatRow[];
  send: readonly OutboxRow[];
  sent: readonly number[];
  notes: readonly { account: string; name: string; box: Box | undefined }[];
}

const STORES = ['messages', 'chats', 'outbox', 'notes'] as const;
type Writing = IDBPTransaction<Schema, typeof STORES, 'readwrite'>;

/** Where what was written lies now, in the order in which it was given. */
export interface Places {
  /** Of the new messages; 0 for those that were here already. */
  added: number[];
  /** In the outbox. */
  sending: number[];
}

/**
 * Requests are made side by side, since somebody waits: a transaction carries them out in their order all the same. Each in an
 * async function, so that one that cannot even be made is an error of the whole.
 */
export async function write(database: Database, account: string, prepared: Prepared): Promise<Places> {
  return wholly(database, async (transaction) => {
    const [messages, chats] = [transaction.objectStore('messages'), transaction.objectStore('chats')];
    const [outbox, notes] = [transaction.objectStore('outbox'), transaction.objectStore('notes')];
    const [added, sending] = await Promise.all([
      add(transaction, account, prepared.add),
      Promise.all(prepared.send.map(async (row) => outbox.add(row))),
      ...prepared.update.map(async (row) => messages.put(row)),
      ...prepared.remove.map(async (row) => messages.delete([account, row.chat, row.place])),
      ...prepared.chats.map(async (row) => chats.put(row)),
      ...prepared.sent.map(async (place) => outbox.delete(place)),
      ...prepared.notes.map(async ({ name, box }) =>
        box ? notes.put({ account, name, box }) : notes.delete([account, name]),
      ),
    ]);
    return { added, sending };
  });
}

/** Writes a note and waits for nothing in between: a page that goes has no time for a second step. */
export async function writeNote(
  database: Database,
  { account, name, box }: Prepared['notes'][number],
): Promise<void> {
  const transaction = database.transaction('notes', 'readwrite');
  const done = transaction.done;
  const request = box
    ? transaction.store.put({ account, name, box })
    : transaction.store.delete([account, name]);
  transaction.commit();
  await Promise.all([request, done]);
}

/** Replaces all messages of a chat, and removes a note that no longer holds then. */
export async function rewrite(
  database: Database,
  account: string,
  chat: string,
  rows: readonly MessageRow[],
  outdated: string,
): Promise<void> {
  return wholly(database, async (transaction) => {
    const messages = transaction.objectStore('messages');
    await transaction.objectStore('notes').delete([account, outdated]);
    await messages.delete(IDBKeyRange.bound([account, chat], [account, chat, []]));
    for (const row of rows) await messages.add(row);
  });
}

async function add(transaction: Writing, account: string, rows: readonly MessageRow[]): Promise<number[]> {
  const messages = transaction.objectStore('messages');
  const chats = [...new Set(rows.map(({ chat }) => chat))];
  const [known, ends] = await Promise.all([
    Promise.all(rows.map(({ id }) => messages.index('id').getKey([account, id]))),
    Promise.all(
      chats.map((chat) =>
        messages.openKeyCursor(IDBKeyRange.bound([account, chat], [account, chat, []]), 'prev'),
      ),
    ),
  ]);
  const ended = new Map(chats.map((chat, at) => [chat, ends[at]?.primaryKey[2] ?? 0]));
  const ids = new Set<string>();
  const places = rows.map(({ chat, id }, at) => {
    if (known[at] || ids.has(id)) return 0;
    ids.add(id);
    const place = (ended.get(chat) ?? 0) + 1;
    ended.set(chat, place);
    return place;
  });
  const fresh = rows.map((row, at) => ({ ...row, place: places[at] ?? 0 })).filter(({ place }) => place > 0);
  await Promise.all(fresh.map(async (row) => messages.add(row)));
  return places;
}

/** A transaction that an error takes back: IndexedDB itself keeps what was done before a request that was never made. */
async function wholly<Result>(
  database: Database,
  work: (transaction: Writing) => Promise<Result>,
): Promise<Result> {
  const transaction = database.transaction(STORES, 'readwrite');
  const done = transaction.done;
  done.catch(() => undefined);
  try {
    const result = await work(transaction);
    await done;
    return result;
  } catch (error) {
    // Gone already when a request has failed.
    if (transaction.error === null) abort(transaction);
    throw error;
  }
}

function abort(transaction: Writing): void {
  try {
    transaction.abort();
  } catch {
    // It was over.
  }
}
