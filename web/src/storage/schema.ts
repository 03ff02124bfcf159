// The database, version by version. A version that was ever released stays here as it was: browsers come from any of them.
import type { PortablePair } from '../crypto/portable.ts';
import type { DBSchema, IDBPDatabase, IDBPTransaction, StoreNames } from 'idb';
import type { Box } from './box.ts';
import type { Passkey } from './passkey.ts';
import type { Vault } from './vault.ts';

/** An account, readable while it is locked: nothing here opens without the passphrase, the device or the seed. */
export interface AccountRow {
  primary: string;
  handle: string;
  server: string;
  /** RFC 3339. */
  addedAt: string;
  /** When it was used last, in milliseconds. */
  usedAt: number;
  vault: Vault;
  /** The data key under the seed; none in rows of early versions until they are unlocked. */
  recovery?: Box;
  passkey?: Passkey;
}

/** What keeps an account unlocked over a reload: keys that the browser uses and does not show. Gone when it is locked. */
export interface SessionRow {
  primary: string;
  /** Drawn when the account was unlocked, so that a tab knows the session that it goes on with; none in rows of early versions. */
  id?: string;
  /** Opens mail (X25519). */
  opening: PortablePair;
  /** Opens and names what is stored. */
  data: CryptoKey;
  tags: CryptoKey;
  /** Milliseconds. */
  expiresAt: number;
}

export interface MessageRow {
  account: string;
  /** Which chat: a keyed hash, so that the database does not say with whom one talks. */
  chat: string;
  /** 1, 2, 3 … within its chat. */
  place: number;
  /** A keyed hash of the message's id. */
  id: string;
  box: Box;
}

export interface ChatRow {
  account: string;
  chat: string;
  box: Box;
}

export interface OutboxRow {
  place?: number;
  account: string;
  box: Box;
}

/** Whatever else is kept, by name. */
export interface NoteRow {
  account: string;
  name: string;
  box: Box;
}

export interface Schema extends DBSchema {
  accounts: { key: string; value: AccountRow };
  sessions: { key: string; value: SessionRow };
  messages: {
    key: [string, string, number];
    value: MessageRow;
    indexes: { id: [string, string] };
  };
  chats: { key: [string, string]; value: ChatRow };
  outbox: { key: number; value: OutboxRow; indexes: { account: string } };
  notes: { key: [string, string]; value: NoteRow };
}

export type Database = IDBPDatabase<Schema>;
type Upgrade = IDBPTransaction<Schema, StoreNames<Schema>[], 'versionchange'>;

/** What leads from version n to n + 1, at place n. */
export const MIGRATIONS: readonly ((database: Database, transaction: Upgrade) => void | Promise<void>)[] = [
  (database) => {
    database.createObjectStore('accounts', { keyPath: 'primary' });
    database.createObjectStore('sessions', { keyPath: 'primary' });
    const messages = database.createObjectStore('messages', { keyPath: ['account', 'chat', 'place'] });
    messages.createIndex('id', ['account', 'id'], { unique: true });
    database.createObjectStore('chats', { keyPath: ['account', 'chat'] });
    const outbox = database.createObjectStore('outbox', { keyPath: 'place', autoIncrement: true });
    outbox.createIndex('account', 'account');
    database.createObjectStore('notes', { keyPath: ['account', 'name'] });
  },
];
