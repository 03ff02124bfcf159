// What the service worker needs when a push wakes it: a small database of its own, so that neither it nor the page ever
// waits for the other's migrations. There is a record for each account that has notifications switched on.
import type { PortablePair } from '../crypto/portable.ts';
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import { storageFault } from './fault.ts';

/** Fetches sealed mail and looks people up, and may do nothing else: the broker holds it to that. At most a day long. */
export interface WakeCredential {
  /** Where the broker takes WebSockets. */
  url: string;
  /** 64 hex digits: who has signed the session, a device or the identity itself. */
  device: string;
  /** A signed `session` envelope with `"use": "wake"`. */
  envelope: string;
  /** The key that it names: the browser uses it and does not show it. */
  key: CryptoKey;
  /** The same as a NATS user nkey. */
  nkey: string;
  /** Milliseconds. */
  expiresAt: number;
}

export interface WakeRecord {
  /** `ed25519:<64 hex>`. */
  primary: string;
  handle: string;
  server: string;
  /** The endpoint that the server was told of. */
  endpoint: string;
  /** Whether a notification may say who has written, and what. */
  previews: boolean;
  /** What was taken in by a page, as a sequence of the mailbox. */
  since: number;
  /** What a notification has told of; never before `since`. */
  told: number;
  /** Messages that a page has taken in and nobody has read. */
  unread: number;
  credential?: WakeCredential;
  /** Opens mail, for previews; gone when the account is locked. */
  opening?: { pair: PortablePair; until: number };
  /** A push that a person has asked for, to see one, is awaited until then. Milliseconds. */
  testUntil?: number;
}

interface Schema extends DBSchema {
  wakes: { key: string; value: WakeRecord };
}

const NAME = 'kez-wake';
const VERSION = 1;

export class Wakes {
  readonly #database: IDBPDatabase<Schema>;

  private constructor(database: IDBPDatabase<Schema>) {
    this.#database = database;
  }

  static async open(name = NAME): Promise<Wakes> {
    try {
      const database = await openDB<Schema>(name, VERSION, {
        upgrade: (database) => void database.createObjectStore('wakes', { keyPath: 'primary' }),
        blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
      });
      return new Wakes(database);
    } catch (error) {
      throw storageFault(error);
    }
  }

  all(): Promise<WakeRecord[]> {
    return this.#database.getAll('wakes');
  }

  get(primary: string): Promise<WakeRecord | undefined> {
    return this.#database.get('wakes', primary);
  }

  async put(record: WakeRecord): Promise<void> {
    await this.#database.put('wakes', record);
  }

  /** Changes a record that is there, as it then is: the page and the service worker both write. */
  async change(primary: string, change: (record: WakeRecord) => WakeRecord): Promise<void> {
    const transaction = this.#database.transaction('wakes', 'readwrite');
    const record = await transaction.store.get(primary);
    if (record) await transaction.store.put(change(record));
    await transaction.done;
  }

  async remove(primary: string): Promise<void> {
    await this.#database.delete('wakes', primary);
  }

  close(): void {
    this.#database.close();
  }
}

/** The record of an account that was locked: that it wants to be woken, and nothing that opens or fetches. */
export function lockedRecord({ credential: _c, opening: _o, ...record }: WakeRecord): WakeRecord {
  return record;
}
