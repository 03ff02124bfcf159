// Noticing that the browser has deleted what was kept: a marker outside the database says that something was there.

/** Not a secret: that there are accounts, and how many. */
const MARKER = 'kez.accounts';

/** The part of localStorage that is used. */
export type MarkerStore = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** Remembers how many accounts there are. */
export function markPresent(store: MarkerStore, accounts: number): void {
  if (accounts > 0) store.setItem(MARKER, String(accounts));
  else store.removeItem(MARKER);
}

/** Whether there should be accounts, and there are none: Safari deletes a page's data after a week without a visit. */
export function wasWiped(store: MarkerStore, accounts: number): boolean {
  return accounts === 0 && store.getItem(MARKER) !== null;
}

/** Asks the browser to keep what is stored. Whether it does; unknown where it cannot be asked. */
export async function askToPersist(): Promise<boolean | null> {
  try {
    if (await navigator.storage.persisted()) return true;
    return await navigator.storage.persist();
  } catch {
    return null;
  }
}

/** Bytes in use, and how many there may be; unknown where the browser does not say. */
export async function usage(): Promise<{ used: number; quota: number } | null> {
  try {
    const { usage, quota } = await navigator.storage.estimate();
    return usage === undefined || quota === undefined ? null : { used: usage, quota };
  } catch {
    return null;
  }
}
