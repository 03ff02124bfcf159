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

/** The places that new messages have got, in their order; 0 for those that were here already. */
export async function write(database: Database, account: string, prepared: Prepared): Promise<number[]> {
  return wholly(database, async (transaction) => {
    const places = await add(transaction, account, prepared.add);
    const [messages, chats] = [transaction.objectStore('messages'), transaction.objectStore('chats')];
    const [outbox, notes] = [transaction.objectStore('outbox'), transaction.objectStore('notes')];
    for (const row of prepared.update) await messages.put(row);
    for (const row of prepared.remove) await messages.delete([account, row.chat, row.place]);
    for (const row of prepared.chats) await chats.put(row);
    for (const row of prepared.send) await outbox.add(row);
    for (const place of prepared.sent) await outbox.delete(place);
    for (const { name, box } of prepared.notes) {
      if (box) await notes.put({ account, name, box });
      else await notes.delete([account, name]);
    }
    return places;
  });
}

/** Replaces all messages of a chat. */
export async function rewrite(
  database: Database,
  account: string,
  chat: string,
  rows: readonly MessageRow[],
): Promise<void> {
  return wholly(database, async (transaction) => {
    const messages = transaction.objectStore('messages');
    await messages.delete(IDBKeyRange.bound([account, chat], [account, chat, []]));
    for (const row of rows) await messages.add(row);
  });
}

async function add(transaction: Writing, account: string, rows: readonly MessageRow[]): Promise<number[]> {
  const messages = transaction.objectStore('messages');
  const next = new Map<string, number>();
  const places: number[] = [];
  for (const row of rows) {
    if (await messages.index('id').getKey([account, row.id])) {
      places.push(0);
      continue;
    }
    const range = IDBKeyRange.bound([account, row.chat], [account, row.chat, []]);
    const place =
      next.get(row.chat) ?? ((await messages.openKeyCursor(range, 'prev'))?.primaryKey[2] ?? 0) + 1;
    next.set(row.chat, place + 1);
    places.push(place);
    await messages.add({ ...row, place });
  }
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
