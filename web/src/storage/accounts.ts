// The accounts of this browser, and the session that keeps one of them unlocked over a reload.
import { storageFault } from './fault.ts';
import type { AccountRow, Database, SessionRow } from './schema.ts';

/** What stands for the id of a session that an early version has kept. */
export const idOf = ({ id }: SessionRow): string => id ?? '';

export class Accounts {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The last used one first. */
  async list(): Promise<AccountRow[]> {
    const rows = await this.#database.getAll('accounts');
    return rows.sort((a, b) => b.usedAt - a.usedAt);
  }

  get(primary: string): Promise<AccountRow | undefined> {
    return this.#database.get('accounts', primary);
  }

  async put(row: AccountRow): Promise<void> {
    try {
      await this.#database.put('accounts', row);
    } catch (error) {
      throw storageFault(error);
    }
  }

  /** Puts what has changed of an account that is here; one that was removed meanwhile does not come back. */
  async change(row: AccountRow): Promise<void> {
    const transaction = this.#database.transaction('accounts', 'readwrite');
    const done = transaction.done;
    done.catch(() => undefined);
    try {
      if (await transaction.store.getKey(row.primary)) await transaction.store.put(row);
      await done;
    } catch (error) {
      throw storageFault(error);
    }
  }

  /** Everything of an account, from every store. */
  async forget(primary: string): Promise<void> {
    const stores = ['accounts', 'sessions', 'messages', 'chats', 'outbox', 'notes'] as const;
    const transaction = this.#database.transaction(stores, 'readwrite');
    const whole = IDBKeyRange.bound([primary], [primary, []]);
    await transaction.objectStore('accounts').delete(primary);
    await transaction.objectStore('sessions').delete(primary);
    await transaction.objectStore('messages').delete(whole);
    await transaction.objectStore('chats').delete(whole);
    await transaction.objectStore('notes').delete(whole);
    const outbox = transaction.objectStore('outbox');
    for (const place of await outbox.index('account').getAllKeys(primary)) await outbox.delete(place);
    await transaction.done;
  }

  /** The session of an account, if it has not ended. */
  async session(primary: string, now: number): Promise<SessionRow | undefined> {
    const session = await this.#database.get('sessions', primary);
    if (session && session.expiresAt > now) return session;
    if (session) await this.endSession(primary);
    return undefined;
  }

  /**
   * Keeps a session, and gives its id. One that is renewed and is no more was ended in another tab: it stays so, and there is no
   * id. Tabs that were unlocked apart share the id of the first.
   */
  async keepSession(session: SessionRow, isRenewal: boolean): Promise<string | undefined> {
    const transaction = this.#database.transaction('sessions', 'readwrite');
    const done = transaction.done;
    done.catch(() => undefined);
    const standing = await transaction.store.get(session.primary);
    const id = isRenewal ? session.id : (standing?.id ?? session.id);
    if (isRenewal && (!standing || idOf(standing) !== id)) return undefined;
    await transaction.store.put(id === undefined ? session : { ...session, id });
    await done;
    return id;
  }

  /** Ends the session; only the one with this id, where one is given. */
  async endSession(primary: string, id?: string): Promise<void> {
    const transaction = this.#database.transaction('sessions', 'readwrite');
    const standing = id === undefined ? undefined : await transaction.store.get(primary);
    if (id === undefined || (standing && idOf(standing) === id)) await transaction.store.delete(primary);
    await transaction.done;
  }

  /** Ends the sessions of all accounts. */
  async endSessions(): Promise<void> {
    await this.#database.clear('sessions');
  }
}
