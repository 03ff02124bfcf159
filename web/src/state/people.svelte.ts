// Who others are: names, records and profiles, remembered and looked up anew.
import { notYet } from './not-yet.ts';

/** What is known of somebody. */
export interface Person {
  /** `ed25519:<64 hex>`. */
  primary: string;
  /** null when the key is registered nowhere that we know. */
  handle: string | null;
  /** `handle@server`. */
  fullHandle: string | null;
  registeredAt: string | null;
  /** From the profile that this person has signed. Hostile: only ever text. */
  displayName: string | null;
  about: string | null;
}

export class People {
  /** What is known of somebody, at once; looked up in the background if that is not much. Reactive. */
  of(primary: string): Person {
    return notYet(primary);
  }

  /** What to call somebody: display name, else handle, else the beginning of the key. Reactive. */
  name(primary: string): string {
    return notYet(primary);
  }

  /** The person behind `alice`, `alice@server` or a key. `not_found`, `wrong_server`, `invalid_handle`, `unavailable`. */
  find(who: string): Promise<Person> {
    return notYet(who);
  }

  /** Looks somebody up anew. */
  refresh(primary: string): Promise<Person> {
    return notYet(primary);
  }

  /** Signs and publishes my profile. `needs_passphrase` when the identity's key is not in memory. */
  putProfile(profile: { displayName: string; about: string }): Promise<void> {
    return notYet(profile);
  }
}
