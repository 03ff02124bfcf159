// Opening the database: migrated from whichever version the browser has, and let go when a newer page needs it.
import { openDB } from 'idb';
import { storageFault } from './fault.ts';
import { MIGRATIONS, type Database, type Schema } from './schema.ts';

export interface DatabaseEvents {
  /** Another tab has a newer version of the page: this connection is closed, and the page must be reloaded. */
  outdated(): void;
}

export async function openDatabase(
  events: DatabaseEvents,
  name = 'kez',
  migrations = MIGRATIONS,
): Promise<Database> {
  try {
    const database = await openDB<Schema>(name, migrations.length, {
      async upgrade(database, from, _to, transaction) {
        for (const migrate of migrations.slice(from)) await migrate(database, transaction);
      },
      blocking(_current, _blocked, event) {
        (event.target as IDBDatabase).close();
        events.outdated();
      },
      terminated: () => events.outdated(),
    });
    return database;
  } catch (error) {
    if (error instanceof Error && error.name === 'VersionError') events.outdated();
    throw storageFault(error);
  }
}
