// Who I am in this browser: accounts made, restored, unlocked, locked and forgotten.
import { notYet } from './not-yet.ts';

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

/** What the text in the restore field is, as far as it was typed. */
export type SecretReading =
  | { kind: 'empty' }
  | { kind: 'incomplete'; words: number }
  | { kind: 'words'; count: 12 | 24 }
  | { kind: 'seed' }
  /** `unknown_word` (which, counted from 1), `bad_checksum`, `wrong_count`, `bad_seed`. */
  | { kind: 'wrong'; code: string; word?: string; position?: number };

/** A step of creating or restoring that is on its way, so that a page can say so. */
export type AccountStep = 'idle' | 'deriving' | 'registering' | 'storing' | 'device';

/** Every method that fails throws a `Refusal` (state/refusal.ts) with a code. */
export class Account {
  status = $state<AccountStatus>('starting');
  /** Every account of this browser, the last used one first. */
  accounts = $state<AccountSummary[]>([]);
  /** The one that is unlocked, or asks to be. */
  current = $state<AccountSummary | null>(null);
  step = $state<AccountStep>('idle');
  /** Whether the identity's own key is in memory. After a reload it is not: claims, devices and the profile ask the passphrase again. */
  holdsIdentity = $state(false);
  /** Whether this browser and device can unlock with a fingerprint or a face (WebAuthn PRF). */
  canUnlockBiometrically = $state(false);
  /** The server of this page, from /v1/config; empty while unknown. */
  server = $state('');

  /** Reads what this browser holds and goes on with a session that is still open. Once, at the start of the page. */
  start(): Promise<void> {
    return notYet();
  }

  /** 12 (or 24) fresh words for a new account. They are nowhere but in what this returns. */
  drawPhrase(count: 12 | 24 = 12): string[] {
    return notYet(count);
  }

  /** Whether a handle can be had: `null`, or the code of why not (`handle_taken`, `invalid_handle`, `reserved_handle`). */
  checkHandle(handle: string): Promise<string | null> {
    return notYet(handle);
  }

  /** Registers the handle, keeps the key under the passphrase, and unlocks. */
  create(given: { handle: string; passphrase: string; words: string[] }): Promise<void> {
    return notYet(given);
  }

  /** What has been typed into the restore field, told apart by itself. */
  readSecret(text: string): SecretReading {
    return notYet(text);
  }

  /** The handle that is registered for words or a seed; `null` when the key is unknown here. */
  findHandle(secret: string): Promise<string | null> {
    return notYet(secret);
  }

  /** Keeps a key that exists already under a passphrase, and unlocks. `not_found` when it has no handle here. */
  restore(given: { secret: string; passphrase: string }): Promise<void> {
    return notYet(given);
  }

  /** Unlocks the current account, or brings the identity's key back into memory. `wrong_passphrase`. */
  unlock(passphrase: string): Promise<void> {
    return notYet(passphrase);
  }

  /** Unlocks with a fingerprint, a face or a security key. `cancelled`, `biometric_failed`. */
  unlockBiometrically(): Promise<void> {
    return notYet();
  }

  /** Lets a fingerprint, a face or a security key unlock from now on; the passphrase is asked for once more. */
  enableBiometric(passphrase: string): Promise<void> {
    return notYet(passphrase);
  }

  disableBiometric(): Promise<void> {
    return notYet();
  }

  /** The recovery phrase (or, for a restored seed, one 64-digit word). The passphrase is always asked for. */
  revealPhrase(passphrase: string): Promise<string[]> {
    return notYet(passphrase);
  }

  changePassphrase(old: string, next: string): Promise<void> {
    return notYet(old, next);
  }

  /** Disconnects, wipes memory, ends the session: from here only the passphrase or the device unlocks. In every tab. */
  lock(): Promise<void> {
    return notYet();
  }

  /** Something was touched: the app lock begins to count anew. */
  touch(): void {
    notYet();
  }

  /** Locks this account and shows another one's unlock page. */
  switchTo(primary: string): Promise<void> {
    return notYet(primary);
  }

  /** Locks and shows the landing page, so that another account can be made or restored; those here stay. */
  addAnother(): Promise<void> {
    return notYet();
  }

  /** Deletes an account and all its messages from this browser. Its handle stays registered. */
  forget(primary: string): Promise<void> {
    return notYet(primary);
  }

  /** After `wiped`: the notice was read. */
  dismissWiped(): void {
    notYet();
  }
}
