// Who I am in this browser: accounts made, restored, unlocked, locked and forgotten.
import { OpeningKey, SecretKey } from '../crypto/keys.ts';
import { parseEd25519 } from '../crypto/primary.ts';
import { Refusal } from '../nats/refusal.ts';
import { Accounts, idOf } from '../storage/accounts.ts';
import { dataKeys, type DataKeys } from '../storage/box.ts';
import { openDatabase } from '../storage/database.ts';
import { Mailbox } from '../storage/mailbox.ts';
import { openPasskey, passkeysAreLikely } from '../storage/passkey.ts';
import { markPresent, wasWiped } from '../storage/presence.ts';
import type { AccountRow, Database } from '../storage/schema.ts';
import { wipe, type Secrets } from '../storage/vault.ts';
import { summary, type AccountStatus, type AccountStep, type AccountSummary } from './account-summary.ts';
import type { AccountTerms } from './account-terms.ts';
import { AppLock } from './app-lock.ts';
import { checkHandle, handleOf } from './handles.ts';
import { createAccount, restoreAccount, type EntryTerms, type NewAccount } from './new-account.ts';
import { Protection } from './protection.ts';
import { removeAccount } from './removal.ts';
import { drawWords, primaryOfSecret, readSecret } from './secret-reading.ts';
import { SESSION, Sessions } from './sessions.svelte.ts';
import { Tabs, tellTabs } from './tabs.ts';
import { Unlocked, type News } from './unlocked.ts';

export type { AccountStatus, AccountStep, AccountSummary } from './account-summary.ts';

/** Every method that fails throws an error of which `codeOf` gives the code. */
export class Account {
  status = $state<AccountStatus>('starting');
  /** Every account of this browser, the last used one first. */
  accounts = $state.raw<AccountSummary[]>([]);
  /** The one that is unlocked, or asks to be. */
  current = $state.raw<AccountSummary | null>(null);
  step = $state<AccountStep>('idle');
  /** Whether the identity's own key is in memory. After a reload it is not: claims, devices and the profile ask the passphrase again. */
  holdsIdentity = $state(false);
  /** Whether this browser and device can unlock with a fingerprint or a face (WebAuthn PRF). */
  canUnlockBiometrically = $state(false);
  /** The server of this page, from /v1/config; empty while unknown. */
  server = $state('');
  /** Why the account was locked without being asked, as a code (`unknown_device`: this browser was taken off the sigchain). */
  lockedBecause = $state<string | null>(null);
  /** It is locked, and what is stored of its session still goes: no page says so before. */
  isLocking = $derived.by(() => this.#sessions.isEnding);

  readonly #terms: AccountTerms;
  readonly #appLock: AppLock;
  readonly #protection: Protection;
  readonly #sessions: Sessions;
  #database: Database | undefined;
  #unlocked: Unlocked | undefined;
  /** What was open is wiped, and its session over: whoever unlocks waits for it. */
  #ended: Promise<unknown> = Promise.resolve();
  /** Counts what takes back an unlocking that is under way: locking, and turning to another account. */
  #era = 0;

  constructor(terms: AccountTerms) {
    this.#terms = terms;
    this.#protection = new Protection(terms.work);
    this.#sessions = new Sessions({ ...terms, rows: () => this.#rows() });
    this.#appLock = new AppLock(terms.settings, terms.clock, terms.markers, () => void this.lock());
  }

  /** Reads what this browser holds and goes on with a session that is still open. Once, at the start of the page. */
  async start(): Promise<void> {
    const { health, markers } = this.#terms;
    void this.#learnServer().catch(() => undefined);
    void passkeysAreLikely().then((likely) => (this.canUnlockBiometrically = likely));
    try {
      const outdated = () => (health.isOutdated = true);
      this.#database = await openDatabase({ outdated }, this.#terms.databaseName);
    } catch {
      health.isUnavailable = !health.isOutdated;
      this.status = 'none';
      return;
    }
    const rows = await this.#list();
    if (markers && wasWiped(markers, rows.length)) this.status = 'wiped';
    else if (!rows[0]) this.status = 'none';
    else await this.#resume(rows[0]);
    if (rows.length > 0) void health.look();
  }

  /** 12 (or 24) fresh words for a new account. They are nowhere but in what this returns. */
  readonly drawPhrase = (count: 12 | 24 = 12) => drawWords(count);

  /** Whether a handle can be had: `null`, or the code of why not (`handle_taken`, `invalid_handle`, `reserved_handle`). */
  readonly checkHandle = (handle: string) => checkHandle(this.#terms.http, handle);

  /** Registers the handle, keeps the key under the passphrase, and unlocks. */
  async create(given: { handle: string; passphrase: string; words: string[] }): Promise<void> {
    await this.#stepwise(async (era) => {
      const server = await this.#learnServer();
      await this.#add(await createAccount(this.#entry(), server, given), era);
    });
  }

  /** What has been typed into the restore field, told apart by itself. */
  readonly readSecret = readSecret;

  /** The handle that is registered for words or a seed; `null` when the key is unknown here. */
  readonly findHandle = (secret: string) => handleOf(this.#terms.http, primaryOfSecret(secret));

  /** Whether restoring would delete what this browser has of that account, since only its old passphrase opens it. */
  async wouldLose(secret: string): Promise<boolean> {
    const row = await this.#rows().get(primaryOfSecret(secret));
    return row !== undefined && !row.recovery;
  }

  /** Keeps a key that exists already under a passphrase, and unlocks. `not_found` when it has no handle here. What this
   * browser has of that account stays, unless `wouldLose` says otherwise. */
  async restore(given: { secret: string; passphrase: string }): Promise<void> {
    await this.#stepwise(async (era) => {
      const server = await this.#learnServer();
      const before = await this.#rows().get(primaryOfSecret(given.secret));
      const restored = await restoreAccount(this.#entry(), server, given, before);
      const { primary } = restored.row;
      await (restored.keepsMail ? this.#rows().endSession(primary) : this.#remove(primary));
      await this.#add(restored, era);
    });
  }

  /** Unlocks the current account, or brings the identity's key back into memory. `wrong_passphrase`. */
  async unlock(passphrase: string): Promise<void> {
    const era = this.#era;
    const row = await this.#currentRow();
    await this.#unlockWith(row, await this.#protection.open(passphrase, row), era);
  }

  /** Unlocks with a fingerprint, a face or a security key. `cancelled`, `biometric_failed`. */
  async unlockBiometrically(): Promise<void> {
    const era = this.#era;
    const row = await this.#currentRow();
    if (!row.passkey) throw new Refusal('no_biometric');
    await this.#unlockWith(row, await openPasskey(row.primary, row.passkey), era);
  }

  /** Lets a fingerprint, a face or a security key unlock from now on; the passphrase is asked for once more. */
  async enableBiometric(passphrase: string): Promise<void> {
    await this.#protection.addPasskey(passphrase, await this.#currentRow(), this.#rows());
    await this.#list();
  }

  async disableBiometric(): Promise<void> {
    await this.#protection.removePasskey(await this.#currentRow(), this.#rows());
    await this.#list();
  }

  /** The recovery phrase (or, for a restored seed, one 64-digit word). The passphrase is always asked for. */
  async revealPhrase(passphrase: string): Promise<string[]> {
    return this.#protection.reveal(passphrase, await this.#currentRow());
  }

  async changePassphrase(old: string, next: string): Promise<void> {
    await this.#protection.change(old, next, await this.#currentRow(), this.#rows());
  }

  /**
   * Wipes memory, disconnects, ends the session: from here only the passphrase or the device unlocks. In every tab. Neither
   * storage that is gone nor the network keeps anything in memory.
   */
  async lock(because: string | null = null): Promise<void> {
    if (!this.#unlocked) return;
    const { primary, tabs } = this.#unlocked;
    tabs.tell({ kind: 'locked' });
    const [ended, { session, wake }] = [this.#end(), this.#sessions.end(primary)];
    this.lockedBecause = because;
    // Told again to tabs that begin just now: those that begin later find no session.
    this.#ended = Promise.allSettled([ended, session]).then(() =>
      tellTabs<News>(this.#tabsOf(primary), { kind: 'locked' }),
    );
    await this.#ended;
    await wake;
  }

  /** Something was touched: the app lock begins to count anew. */
  touch(): void {
    if (this.#unlocked) this.#appLock.touch();
  }

  /** Until when it stays open if nothing is touched, in milliseconds. */
  readonly opensUntil = () => this.#appLock.end() ?? this.#terms.clock.now() + SESSION;

  /** Locks this account and shows another one's unlock page. */
  async switchTo(primary: string): Promise<void> {
    await this.lock();
    this.lockedBecause = null;
    this.#show(this.accounts.find((account) => account.primary === primary) ?? this.current);
  }

  /** Locks and shows the landing page, so that another account can be made or restored; those here stay. */
  async addAnother(): Promise<void> {
    await this.lock();
    this.#show(null);
  }

  /** Deletes an account and all its messages from this browser. Its handle stays registered. */
  async forget(primary: string): Promise<void> {
    await this.#terms.forgetting(primary).catch(() => undefined);
    if (this.#unlocked?.primary === primary) await this.#end(true);
    await this.#remove(primary);
    await this.#showNext(primary);
  }

  /** Another tab removes the account. */
  async removedElsewhere(): Promise<void> {
    const unlocked = this.#unlocked;
    if (!unlocked) return;
    await this.#end(true);
    // Once the other tab has done so.
    await unlocked.tabs.exclusively(async () => undefined);
    await this.#showNext(unlocked.primary);
  }

  /** After `wiped`: the notice was read. */
  dismissWiped(): void {
    if (this.#terms.markers) markPresent(this.#terms.markers, 0);
    this.status = 'none';
  }

  /** The page goes. The session stays. */
  async close(): Promise<void> {
    if (this.#unlocked) await this.#end();
    await this.#terms.left();
    this.#database?.close();
  }

  /** Another tab has locked the account: whatever this one has left for the next page meanwhile goes, too. */
  async lockedElsewhere(): Promise<void> {
    const unlocked = this.#unlocked;
    if (!unlocked) return;
    this.#ended = Promise.allSettled([this.#end(), this.#sessions.endOwn(unlocked)]);
    await this.#ended;
    await this.#terms.sessionEnded(unlocked.primary);
  }

  /** Keeps the keys over a reload; where another tab has locked the account meanwhile, it is locked here as well. */
  async keepSession(account: Unlocked): Promise<void> {
    const isKept = await this.#sessions.keep(account);
    if (!isKept && this.#unlocked === account) await this.lockedElsewhere();
  }

  async #resume(row: AccountRow): Promise<void> {
    this.current = summary(row);
    const session = await this.#sessions.resume(row, this.#appLock.isOver());
    if (!session) {
      this.status = 'locked';
      return this.#terms.sessionEnded(row.primary);
    }
    const opener = new OpeningKey(parseEd25519(row.primary), session.opening);
    await this.#begin(row, opener, session, undefined, idOf(session));
  }

  async #unlockWith(row: AccountRow, secrets: Secrets, era: number): Promise<void> {
    const identity = SecretKey.fromSeed(secrets.seed);
    try {
      const keys = await dataKeys(secrets.data);
      const opener = new OpeningKey(identity.primary, await identity.portablePair());
      const kept = await this.#protection.withRecovery(row, secrets);
      await this.#ended;
      // Locked since it was asked for, or another account is shown: who wants in asks again.
      if (era !== this.#era) return identity.forget();
      if (this.#unlocked) return await this.#bringBack(this.#unlocked, identity);
      await this.#begin(kept, opener, keys, identity);
    } finally {
      wipe(secrets);
    }
  }

  /** The account is open already: only the identity's key was missing. */
  async #bringBack(unlocked: Unlocked, identity: SecretKey): Promise<void> {
    if (unlocked.identity || unlocked.primary !== identity.primary) return identity.forget();
    unlocked.identity = identity;
    this.holdsIdentity = true;
    if (!unlocked.device) await this.#terms.connect(unlocked);
  }

  async #begin(
    row: AccountRow,
    opener: OpeningKey,
    { data, tags }: DataKeys,
    identity: SecretKey | undefined,
    session?: string,
  ): Promise<void> {
    const { clock, heard } = this.#terms;
    if (!this.#database) throw new Refusal('storage_unavailable');
    const unlocked: Unlocked = new Unlocked({
      primary: opener.primary,
      handle: row.handle,
      server: row.server,
      identity,
      session,
      opener,
      mailbox: new Mailbox(this.#database, row.primary, { data, tags }),
      tabs: new Tabs<News>(this.#tabsOf(row.primary), (news) => this.#unlocked === unlocked && heard(news)),
    });
    this.#unlocked = unlocked;
    try {
      await this.#terms.begin(unlocked);
      await this.#rows().change({ ...row, usedAt: clock.now() });
    } catch (error) {
      // What cannot be read does not stay half open.
      if (this.#unlocked === unlocked) await this.#end();
      throw error;
    }
    if (this.#unlocked !== unlocked) return;
    this.current = summary(row);
    this.holdsIdentity = identity !== undefined;
    this.lockedBecause = null;
    this.step = 'device';
    // Before anything is shown: whoever reloads the page then is still signed in.
    await this.#terms.connect(unlocked);
    this.step = 'idle';
    if (this.#unlocked !== unlocked) return;
    this.status = 'unlocked';
    this.#appLock.start();
    await this.#list();
  }

  #remove(primary: string): Promise<void> {
    return removeAccount(this.#tabsOf(primary), primary, this.#rows());
  }

  /** Another account takes the place of one that is no more. */
  async #showNext(removed: string): Promise<void> {
    const [next] = await this.#list();
    if (!this.current || this.current.primary === removed) this.#show(next ? summary(next) : null);
  }

  /** Turns to the unlock page of an account, or to none. */
  #show(account: AccountSummary | null): void {
    this.#era++;
    this.current = account;
    this.status = account ? 'locked' : 'none';
  }

  /** Nothing of the open account is in memory from here on. */
  #end(isRemoved = false): Promise<void> {
    this.#era++;
    if (isRemoved) this.#unlocked?.mailbox.close();
    this.#unlocked?.wipe();
    this.#unlocked = undefined;
    this.#appLock.stop();
    this.holdsIdentity = false;
    this.status = 'locked';
    this.#terms.work.stop?.();
    return (this.#ended = this.#terms.end());
  }

  /** A new account of this browser, unlocked. */
  async #add({ row, secrets }: NewAccount, era: number): Promise<void> {
    this.step = 'storing';
    await this.#rows().put(row);
    await this.#list();
    await this.#unlockWith(row, secrets, era);
    void this.#terms.health.look();
  }

  #entry(): EntryTerms {
    const { http, clock } = this.#terms;
    return { http, clock, protection: this.#protection, at: (step) => (this.step = step) };
  }

  async #stepwise(work: (era: number) => Promise<void>): Promise<void> {
    try {
      await work(this.#era);
    } finally {
      this.step = 'idle';
    }
  }

  async #learnServer(): Promise<string> {
    if (this.server === '') this.server = (await this.#terms.http.config()).server;
    return this.server;
  }

  async #list(): Promise<AccountRow[]> {
    const rows = await this.#rows().list();
    this.accounts = rows.map(summary);
    const current = this.accounts.find(({ primary }) => primary === this.current?.primary);
    if (current) this.current = current;
    if (this.#terms.markers && rows.length > 0) markPresent(this.#terms.markers, rows.length);
    return rows;
  }

  async #currentRow(): Promise<AccountRow> {
    const row = this.current && (await this.#rows().get(this.current.primary));
    if (!row) throw new Refusal('not_found');
    return row;
  }

  #tabsOf(primary: string): string {
    return `${this.#database?.name}-${primary}`;
  }

  #rows(): Accounts {
    if (!this.#database) throw new Refusal('storage_unavailable');
    return new Accounts(this.#database);
  }
}
