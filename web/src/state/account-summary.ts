// An account as pages see it, and what may be said of it.
import type { AccountRow } from '../storage/schema.ts';

/** `starting` until storage was read; `none`: no account here; `wiped`: there was one, and the browser has deleted its data. */
export type AccountStatus = 'starting' | 'none' | 'wiped' | 'locked' | 'unlocked';

/** An account of this browser, as it may be shown before it is unlocked. */
export interface AccountSummary {
  /** `ed25519:<64 hex>`. */
  primary: string;
  handle: string;
  server: string;
  /** RFC 3339. */
  addedAt: string;
  /** Whether a fingerprint, a face or a security key unlocks it. */
  unlocksBiometrically: boolean;
  /** Whether there are words to reveal (12 or 24), or only a seed in hex. */
  secret: 'words' | 'seed';
}

/** A step of creating or restoring that is on its way, so that a page can say so. */
export type AccountStep = 'idle' | 'deriving' | 'registering' | 'storing' | 'device';

export function summary({ primary, handle, server, addedAt, passkey, vault }: AccountRow): AccountSummary {
  const secret = vault.phrase ? 'words' : 'seed';
  return { primary, handle, server, addedAt, unlocksBiometrically: passkey !== undefined, secret };
}
