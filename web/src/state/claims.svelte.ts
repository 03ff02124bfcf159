// My accounts elsewhere: claimed on my sigchain, published by me, checked by the server and verified here.
import { notYet } from './not-yet.ts';

export const CHANNELS = ['github', 'dns', 'web', 'bluesky', 'ap', 'nostr'] as const;
export type Channel = (typeof CHANNELS)[number];

/** `checking` while it is looked at; `unchecked` before. */
export type ClaimStatus = 'unchecked' | 'checking' | 'verified' | 'failed' | 'unreachable';
/** Whether the sigchain has what I asked for: `adding` and `revoking` are tried again by `retry`. */
export type SyncState = 'synced' | 'adding' | 'revoking' | 'failed';

export interface Claim {
  /** `github:alice`. */
  subject: string;
  channel: Channel | 'other';
  /** What stands after the colon. */
  account: string;
  since: string;
  status: ClaimStatus;
  /** Why it is not verified: `absent`, `malformed`, `wrong_primary`, `expired`, `timeout` … */
  why: string | null;
  detail: string | null;
  /** Where it was looked for or found. An address of the server's saying: https only. */
  evidence: string | null;
  checkedAt: string | null;
  sync: SyncState;
  /** Why the sigchain does not have it: a code. */
  syncFailure: string | null;
}

/** A signed claim in every form it can be published in. */
export interface SignedClaim {
  subject: string;
  json: string;
  compact: string;
  markdown: string;
  /** The pieces of a TXT record at `_kez.<domain>`. */
  txt: readonly string[];
  /** Where to put it, for this channel: an address or a name. */
  place: string;
}

export class Claims {
  /** Of the person whose claims were loaded last by `loadMine`. */
  mine = $state.raw<readonly Claim[]>([]);
  isLoaded = $state(false);

  /** Reads my chain and begins to check each account. */
  loadMine(): Promise<void> {
    return notYet();
  }

  /** Somebody else's claims, each checked: as they become known, `changed` is called with all of them. */
  ofPerson(primary: string, changed: (claims: readonly Claim[]) => void): Promise<void> {
    return notYet(primary, changed);
  }

  /** The identifier that channel and account make, or the code of what is wrong with it (`malformed`). */
  subject(channel: Channel, account: string): { subject: string } | { code: string } {
    return notYet(channel, account);
  }

  /** Signs the claim of an account and gives it in every form; nothing is sent. `needs_passphrase`. */
  sign(subject: string): Promise<SignedClaim> {
    return notYet(subject);
  }

  /** Puts the claim on my sigchain. */
  add(subject: string): Promise<void> {
    return notYet(subject);
  }

  revoke(subject: string): Promise<void> {
    return notYet(subject);
  }

  /** Tries a row again whose `sync` is not `synced`. */
  retry(subject: string): Promise<void> {
    return notYet(subject);
  }

  /** Asks the account again, now; what is found is verified here too. */
  check(subject: string): Promise<Claim> {
    return notYet(subject);
  }
}
