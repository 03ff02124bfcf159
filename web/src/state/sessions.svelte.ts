// What keeps an account unlocked over a reload, and does no more once it was locked in any tab.
import { toHex } from '../crypto/bytes.ts';
import { pause } from '../nats/delay.ts';
import type { Accounts } from '../storage/accounts.ts';
import type { AccountRow, SessionRow } from '../storage/schema.ts';
import type { Clock } from './clock.svelte.ts';
import type { Settings } from './settings.svelte.ts';
import type { Unlocked } from './unlocked.ts';

/** A session outlives the last use of it so long, in milliseconds. */
export const SESSION = 30 * 24 * 60 * 60 * 1000;

/** Storage that does not answer keeps nobody waiting longer, in milliseconds. */
const ENDING = 3_000;

export interface SessionTerms {
  settings: Settings;
  clock: Clock;
  rows(): Accounts;
  /** Takes away what opens and fetches mail for the service worker. */
  sessionEnded(primary: string): Promise<void>;
}

export class Sessions {
  /** What is stored of a session still goes: whoever closed the page now might leave some of it. */
  isEnding = $state(false);
  readonly #terms: SessionTerms;
  #keeping: Promise<unknown> = Promise.resolve();

  constructor(terms: SessionTerms) {
    this.#terms = terms;
  }

  /** The session of an account, if there is one and it may be gone on with. */
  async resume({ primary }: AccountRow, isIdle: boolean): Promise<SessionRow | undefined> {
    const { settings, clock } = this.#terms;
    const rows = this.#terms.rows();
    if (isIdle || !settings.staysUnlocked) await rows.endSession(primary);
    return rows.session(primary, clock.now());
  }

  /**
   * Keeps the keys over a reload: only with a key of this browser's own, which can be taken off the sigchain. False where the
   * account was locked in another tab whose word has not come yet: nothing is kept then.
   */
  async keep(account: Unlocked): Promise<boolean> {
    // One after the other: what was chosen last holds.
    const keeping = this.#keeping.then(() => this.#keep(account));
    this.#keeping = keeping.catch(() => undefined);
    return keeping;
  }

  /** The session of an account, and what the service worker has of it, begin to go at once. */
  end(primary: string): { session: Promise<void>; wake: Promise<void> } {
    const [session, wake] = [this.#terms.rows().endSession(primary), this.#terms.sessionEnded(primary)];
    const limit = new AbortController();
    this.isEnding = true;
    void Promise.race([Promise.allSettled([session, wake]), pause(ENDING, limit.signal)]).then(() => {
      this.isEnding = false;
      limit.abort();
    });
    return { session, wake };
  }

  /** Another tab has locked: what this one may have kept since goes, and nothing of who has unlocked since then. */
  async endOwn(account: Unlocked): Promise<void> {
    await this.#keeping;
    const { primary, session } = account;
    if (session !== undefined) await this.#terms.rows().endSession(primary, session);
  }

  async #keep(account: Unlocked): Promise<boolean> {
    const { settings, clock } = this.#terms;
    const rows = this.#terms.rows();
    const { primary, mailbox } = account;
    if (account.isWiped) return false;
    // Another tab may have chosen anew, and its word may not have come yet.
    settings.read();
    if (!settings.staysUnlocked || !account.device) {
      account.isKept = false;
      await (settings.staysUnlocked ? rows.endSession(primary) : rows.endSessions());
      return true;
    }
    const opening = await account.opener.portablePair();
    if (account.isWiped) return false;
    account.session ??= toHex(crypto.getRandomValues(new Uint8Array(16)));
    const row = { primary, id: account.session, opening, ...mailbox.keys, expiresAt: clock.now() + SESSION };
    try {
      const kept = await rows.keepSession(row, account.isKept);
      if (kept === undefined) return false;
      account.session = kept;
      account.isKept = true;
      return true;
    } catch {
      // A browser that cannot store these keys asks for the passphrase after each reload.
      return true;
    }
  }
}
