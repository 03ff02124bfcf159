// One account's messages, chats, outbox and notes: encrypted before a transaction begins, since none waits for encryption.
import { openValue, sealValue, tagOf, type Box, type DataKeys } from './box.ts';
import { StorageFault, storageFault } from './fault.ts';
import type { Change, KeptChat, KeptMessage, KeptOutgoing, Written } from './kept.ts';
import type { ChatRow, Database, MessageRow } from './schema.ts';
import { rewrite, write, writeNote, type Prepared } from './writing.ts';

/** The name of the note that keeps the search index, which goes by places. */
export const SEARCH_INDEX = 'search';

/** Beyond every place. */
const END = Number.MAX_SAFE_INTEGER;

export class Mailbox {
  readonly account: string;
  readonly #database: Database;
  /** For the worker that searches. */
  readonly keys: DataKeys;
  readonly #tags = new Map<string, Promise<string>>();
  #isClosed = false;

  constructor(database: Database, account: string, keys: DataKeys) {
    this.#database = database;
    this.account = account;
    this.keys = keys;
  }

  /** The account is being removed: whatever was begun before writes nothing any more. */
  close(): void {
    this.#isClosed = true;
  }

  async chats(): Promise<KeptChat[]> {
    const rows = await this.#database.getAll('chats', this.#whole());
    return Promise.all(rows.map((row) => this.#openChat(row)));
  }

  async chat(peer: string): Promise<KeptChat | undefined> {
    const row = await this.#database.get('chats', [this.account, await this.#chatTag(peer)]);
    return row && this.#openChat(row);
  }

  /** The last `count` messages of a chat before a place, the oldest first. */
  async page(peer: string, before: number | undefined, count: number): Promise<KeptMessage[]> {
    const chat = await this.#chatTag(peer);
    const upTo = (before ?? END) - 1;
    if (upTo < 1) return [];
    const rows: MessageRow[] = [];
    const store = this.#database.transaction('messages').store;
    const range = IDBKeyRange.bound([this.account, chat, 1], [this.account, chat, upTo]);
    const first = (await store.openKeyCursor(range, 'prev'))?.primaryKey;
    if (!first) return [];
    // Places have gaps only where messages were removed, so a guess that is too short is made longer.
    for (let span = count; ; span *= 4) {
      const from = Math.max(1, first[2] - span + 1);
      const part = IDBKeyRange.bound([this.account, chat, from], [this.account, chat, upTo]);
      rows.splice(0, rows.length, ...(await this.#database.getAll('messages', part)));
      if (rows.length >= count || from === 1) break;
    }
    return Promise.all(rows.slice(-count).map((row) => this.#openMessage(row)));
  }

  /** The messages of a chat from a place on, the oldest first. */
  async from(peer: string, place: number, count?: number): Promise<KeptMessage[]> {
    const chat = await this.#chatTag(peer);
    const range = IDBKeyRange.bound([this.account, chat, place], [this.account, chat, END]);
    const rows = await this.#database.getAll('messages', range, count);
    return Promise.all(rows.map((row) => this.#openMessage(row)));
  }

  /** Those of these messages that are here. */
  async byIds(ids: readonly string[]): Promise<KeptMessage[]> {
    const tags = await Promise.all(ids.map((id) => this.#idTag(id)));
    const index = this.#database.transaction('messages').store.index('id');
    const rows = await Promise.all(tags.map((tag) => index.get([this.account, tag])));
    const found = rows.filter((row) => row !== undefined);
    return Promise.all(found.map((row) => this.#openMessage(row)));
  }

  async count(): Promise<number> {
    return this.#database.count('messages', this.#whole());
  }

  /** What waits to be sent, in order. */
  async outbox(): Promise<KeptOutgoing[]> {
    const rows = await this.#database.getAllFromIndex('outbox', 'account', this.account);
    return Promise.all(
      rows.map(async ({ place = 0, box }) => ({
        ...((await this.#open('outbox', box)) as KeptOutgoing),
        place,
      })),
    );
  }

  /** A note, as it was put; whoever reads it knows its shape. */
  async note(name: string): Promise<unknown> {
    const row = await this.#database.get('notes', [this.account, name]);
    return row && this.#open(`notes|${name}`, row.box);
  }

  /** The notes whose names begin so, by the rest of their names. */
  async notes(prefix: string): Promise<Map<string, unknown>> {
    const range = IDBKeyRange.bound([this.account, prefix], [this.account, `${prefix}\uffff`]);
    const rows = await this.#database.getAll('notes', range);
    const open = rows.map(
      async ({ name, box }) => [name.slice(prefix.length), await this.#open(`notes|${name}`, box)] as const,
    );
    return new Map(await Promise.all(open));
  }

  /** A name for a note about somebody, which does not say about whom. */
  async noteAbout(kind: string, who: string): Promise<string> {
    return `${kind}:${await this.#chatTag(who)}`;
  }

  /** Does all of it, or nothing. */
  async commit(change: Change): Promise<Written> {
    const prepared = await this.#prepare(change);
    this.#mustBeOpen();
    try {
      const { added, sending } = await write(this.#database, this.account, prepared);
      const messages = (change.add ?? []).map((message, at) => ({ ...message, place: added[at] ?? 0 }));
      return {
        added: messages.filter(({ place }) => place > 0),
        waiting: (change.send ?? []).map((outgoing, at) => ({ ...outgoing, place: sending[at] ?? 0 })),
      };
    } catch (error) {
      throw storageFault(error);
    }
  }

  /** Encrypts a note (`undefined` removes it); what this returns writes it at once, also while the page goes. */
  async prepareNote(name: string, value: unknown): Promise<() => Promise<void>> {
    const box = value === undefined ? undefined : await this.#seal(`notes|${name}`, value);
    return async () => {
      this.#mustBeOpen();
      await writeNote(this.#database, { account: this.account, name, box });
    };
  }

  /** Puts these in the place of all that a chat holds: an import merges what was with what came. Places are others afterwards, so
   * the search index goes in the same step. */
  async replace(peer: string, messages: readonly KeptMessage[]): Promise<void> {
    const rows = await Promise.all(
      messages.map((message, at) => this.#messageRow({ ...message, place: at + 1 })),
    );
    const tag = await this.#chatTag(peer);
    this.#mustBeOpen();
    try {
      await rewrite(this.#database, this.account, tag, rows, SEARCH_INDEX);
    } catch (error) {
      throw storageFault(error);
    }
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new StorageFault('storage_unavailable');
  }

  async #prepare(change: Change): Promise<Prepared> {
    const all = <Item, Row>(items: readonly Item[] | undefined, row: (item: Item) => Promise<Row>) =>
      Promise.all((items ?? []).map(row));
    const [add, update, remove, chats, send, notes] = await Promise.all([
      all(change.add, (message) => this.#messageRow(message)),
      all(change.update, (message) => this.#messageRow(message)),
      all(change.remove, (message) => this.#messageRow(message)),
      all(change.chats, (chat) => this.#chatRow(chat)),
      all(change.send, async ({ place: _, ...outgoing }) => ({
        account: this.account,
        box: await this.#seal('outbox', outgoing),
      })),
      all(Object.entries(change.notes ?? {}), async ([name, value]) => ({
        account: this.account,
        name,
        box: value === undefined ? undefined : await this.#seal(`notes|${name}`, value),
      })),
    ]);
    return { add, update, remove, chats, send, sent: change.sent ?? [], notes };
  }

  async #messageRow({ place, ...message }: KeptMessage): Promise<MessageRow> {
    const [chat, id] = await Promise.all([this.#chatTag(message.peer), this.#idTag(message.id)]);
    return {
      account: this.account,
      chat,
      place,
      id,
      box: await this.#seal(`messages|${chat}|${id}`, message),
    };
  }

  async #openMessage({ chat, id, place, box }: MessageRow): Promise<KeptMessage> {
    return { ...((await this.#open(`messages|${chat}|${id}`, box)) as KeptMessage), place };
  }

  async #chatRow(chat: KeptChat): Promise<ChatRow> {
    const tag = await this.#chatTag(chat.peer);
    return { account: this.account, chat: tag, box: await this.#seal(`chats|${tag}`, chat) };
  }

  async #openChat({ chat, box }: ChatRow): Promise<KeptChat> {
    return (await this.#open(`chats|${chat}`, box)) as KeptChat;
  }

  #seal(place: string, value: unknown): Promise<Box> {
    return sealValue(this.keys.data, `${this.account}|${place}`, value);
  }

  #open(place: string, box: Box): Promise<unknown> {
    return openValue(this.keys.data, `${this.account}|${place}`, box);
  }

  #chatTag(peer: string): Promise<string> {
    const known = this.#tags.get(peer) ?? tagOf(this.keys.tags, 'chat', peer);
    this.#tags.set(peer, known);
    return known;
  }

  #idTag(id: string): Promise<string> {
    return tagOf(this.keys.tags, 'message', id);
  }

  #whole(): IDBKeyRange {
    return IDBKeyRange.bound([this.account], [this.account, []]);
  }
}
