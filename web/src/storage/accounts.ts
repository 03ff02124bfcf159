// The accounts of this browser, and the session that keeps one of them unlocked over a reload.
import { storageFault } from './fault.ts';
import type { AccountRow, Database, SessionRow } from './schema.ts';

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

  async keepSession(session: SessionRow): Promise<void> {
    await this.#database.put('sessions', session);
  }

  async endSession(primary: string): Promise<void> {
    await this.#database.delete('sessions', primary);
  }
}
