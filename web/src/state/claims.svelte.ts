// My accounts elsewhere: claimed on my sigchain, published by me, checked by the server and verified here.
import { canonicalText } from '../crypto/canonical.ts';
import { addOp, revokeOp } from '../crypto/chain.ts';
import { checkClaim, createClaim, parseClaim } from '../crypto/claim.ts';
import { compactClaim, markdownClaim, txtPieces } from '../crypto/claim-forms.ts';
import { parseIdentifier, split } from '../crypto/identifier.ts';
import { parsePrimary } from '../crypto/primary.ts';
import { PUT_PROOFS, VERIFY, limits, type Verdict } from '../nats/contract.ts';
import { Refusal } from '../nats/refusal.ts';
import type { Chains } from './chains.svelte.ts';
import { placeOf, subjectOf, type Channel } from './channels.ts';
import type { Clock } from './clock.svelte.ts';
import type { Connection } from './connection.svelte.ts';
import { codeOf } from './refusal.ts';
import type { Unlocked } from './unlocked.ts';

export { CHANNELS, type Channel } from './channels.ts';

/** `checking` while it is looked at; `unchecked` before. */
export type ClaimStatus = 'unchecked' | 'checking' | 'verified' | 'failed' | 'unreachable';
/** Whether the sigchain has what I asked for: `adding` and `revoking` are on their way, `failed` is tried again by `retry`. */
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
  /** Where it was looked for or found: an https address, or none. */
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

/** What I have asked of the sigchain and it does not have yet, by subject. */
type Pending = Record<string, 'add' | 'revoke'>;

const PENDING = 'claims-pending';
/** An account may be slow. In milliseconds. */
const PATIENCE = 25_000;
/** Accounts that are checked at a time. */
const AT_ONCE = 3;

export class Claims {
  /** My own. */
  mine = $state.raw<readonly Claim[]>([]);
  isLoaded = $state(false);

  readonly #chains: Chains;
  readonly #connection: Connection;
  readonly #clock: Clock;
  #account: Unlocked | undefined;
  /** Ends, when the account is locked, what waits for the connection. */
  #ending = new AbortController();

  constructor(chains: Chains, connection: Connection, clock: Clock) {
    this.#chains = chains;
    this.#connection = connection;
    this.#clock = clock;
  }

  unlocked(account: Unlocked): void {
    this.#account = account;
    this.#ending = new AbortController();
  }

  locked(): void {
    this.#account = undefined;
    this.#ending.abort();
    this.mine = [];
    this.isLoaded = false;
  }

  /** Reads my chain and begins to check each account. */
  async loadMine(): Promise<void> {
    const account = this.#unlocked();
    const { primary, mailbox } = account;
    const pending = ((await mailbox.note(PENDING)) as Pending | undefined) ?? {};
    const chain = await this.#chains.read(primary);
    if (chain.fault) throw new Refusal(chain.fault.code);
    if (this.#account !== account) return;
    // What could not be asked for is asked for again.
    const known = new Map(
      this.mine.filter(({ why }) => why !== 'unavailable').map((claim) => [claim.subject, claim]),
    );
    const listed = chain.claims.map(({ subject, since }) => {
      const fresh = known.get(subject) ?? claimOf(subject, since);
      return { ...fresh, since, ...syncOf(pending[subject] === 'revoke') };
    });
    const isListed = new Set(listed.map(({ subject }) => subject));
    const missing = Object.keys(pending).filter(
      (subject) => pending[subject] === 'add' && !isListed.has(subject),
    );
    this.mine = [...listed, ...missing.map((subject) => ({ ...claimOf(subject, ''), ...syncOf(true) }))];
    this.isLoaded = true;
    // Another account may be open when an answer comes.
    const isMine = () => this.#account === account;
    void this.#checkAll(
      primary,
      () => (isMine() ? this.mine : []),
      (claim) => isMine() && this.#put(claim),
    );
  }

  /** Somebody else's claims, each checked: as they become known, `changed` is called with all of them. */
  async ofPerson(primary: string, changed: (claims: readonly Claim[]) => void): Promise<void> {
    const chain = await this.#chains.read(primary);
    if (chain.fault) throw new Refusal(chain.fault.code);
    let claims: readonly Claim[] = chain.claims.map(({ subject, since }) => claimOf(subject, since));
    changed(claims);
    await this.#checkAll(
      primary,
      () => claims,
      (claim) => {
        claims = claims.map((other) => (other.subject === claim.subject ? claim : other));
        changed(claims);
      },
    );
  }

  /** The identifier that channel and account make, or the code of what is wrong with it (`malformed`). */
  subject(channel: Channel, account: string): { subject: string } | { code: string } {
    return subjectOf(channel, account);
  }

  /** Signs the claim of an account and gives it in every form; nothing is sent. `needs_passphrase`. */
  async sign(subject: string): Promise<SignedClaim> {
    const key = this.#unlocked().identityKey();
    const json = await createClaim(parseIdentifier(subject), this.#clock.seconds(), undefined, key);
    const compact = compactClaim(json);
    const markdown = markdownClaim(json).trimEnd();
    return { subject, json, compact, markdown, txt: txtPieces(compact), place: placeOf(subject) };
  }

  /** Puts the claim on my sigchain. */
  async add(subject: string): Promise<void> {
    if (!this.mine.some((claim) => claim.subject === subject))
      this.mine = [...this.mine, claimOf(subject, '')];
    await this.#sync(subject, 'add');
  }

  async revoke(subject: string): Promise<void> {
    await this.#sync(subject, 'revoke');
  }

  /** Tries a row again whose `sync` is not `synced`. */
  async retry(subject: string): Promise<void> {
    const pending = ((await this.#unlocked().mailbox.note(PENDING)) as Pending | undefined) ?? {};
    const wanted = pending[subject];
    if (wanted) await this.#sync(subject, wanted);
  }

  /** Asks the account again, now; what is found is verified here too. */
  async check(subject: string): Promise<Claim> {
    const claim = this.mine.find((claim) => claim.subject === subject) ?? claimOf(subject, '');
    this.#put({ ...claim, status: 'checking' });
    const checked = await this.#check(this.#unlocked().primary, claim, true);
    this.#put(checked);
    return checked;
  }

  /** Says on the sigchain what is asked for. What it does not take is remembered, and told. */
  async #sync(subject: string, wanted: 'add' | 'revoke'): Promise<void> {
    const account = this.#unlocked();
    account.identityKey();
    await this.#remember(subject, wanted);
    this.#change(subject, { sync: wanted === 'add' ? 'adding' : 'revoking', syncFailure: null });
    try {
      await this.#chains.append(wanted === 'add' ? addOp(subject) : revokeOp(subject));
    } catch (error) {
      const code = codeOf(error);
      // Done already, by an earlier try whose answer was lost, or by another device.
      if (code !== (wanted === 'add' ? 'already_active' : 'not_active')) {
        this.#change(subject, { sync: 'failed', syncFailure: code });
        throw error;
      }
    }
    await this.#remember(subject, undefined);
    if (wanted === 'revoke') this.mine = this.mine.filter((claim) => claim.subject !== subject);
    else this.#change(subject, { sync: 'synced' });
    void this.#publish(account).catch(() => undefined);
    await this.loadMine();
  }

  /** Tells the registry, so that others know where to look. They verify each: nobody waits for it, and nothing is lost without. */
  async #publish(account: Unlocked): Promise<void> {
    await this.#connection.whenLive(this.#ending.signal);
    const { claims } = await this.#chains.read(account.primary);
    // Never in the name of another account.
    if (this.#account !== account) return;
    const subjects = claims.map(({ subject }) => subject).slice(0, limits.registry.maxProofs);
    await this.#connection.calls.call(PUT_PROOFS, { subjects });
  }

  async #remember(subject: string, wanted: 'add' | 'revoke' | undefined): Promise<void> {
    const { mailbox } = this.#unlocked();
    const pending = { ...((await mailbox.note(PENDING)) as Pending | undefined) };
    const { [subject]: _, ...others } = pending;
    await mailbox.commit({ notes: { [PENDING]: wanted ? { ...others, [subject]: wanted } : others } });
  }

  /** Checks what is unchecked, as long as there is something. What is cut off is no verdict: it waits for the connection. */
  async #checkAll(
    primary: string,
    all: () => readonly Claim[],
    found: (claim: Claim) => void,
  ): Promise<void> {
    const connection = this.#connection;
    const { signal } = this.#ending;
    const worker = async () => {
      while (await connection.whenLive(signal)) {
        const claim = all().find(({ status, sync }) => status === 'unchecked' && sync === 'synced');
        if (!claim) return;
        const { since } = connection;
        found({ ...claim, status: 'checking' });
        const checked = await this.#check(primary, claim, false);
        const isCutOff = checked.why === 'unavailable' && connection.since !== since;
        found(isCutOff ? claim : checked);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  async #check(primary: string, claim: Claim, fresh: boolean): Promise<Claim> {
    const { subject } = claim;
    try {
      const verdict = await this.#connection.calls.call(VERIFY, { subject, primary, fresh }, PATIENCE);
      const status = verdict.status === 'verified' ? await this.#agree(verdict, subject, primary) : verdict;
      return { ...claim, ...shown(verdict), status: status.status, why: status.why ?? null };
    } catch (error) {
      return { ...claim, status: 'unreachable', why: codeOf(error), detail: null, evidence: null };
    }
  }

  /** The server's word is not enough: the claim that it found must hold here too. */
  async #agree(
    verdict: Verdict,
    subject: string,
    primary: string,
  ): Promise<{ status: ClaimStatus; why?: string }> {
    try {
      if (verdict.claim === undefined) return { status: 'failed', why: 'malformed' };
      const claim = await parseClaim(canonicalText(verdict.claim));
      checkClaim(claim, parseIdentifier(subject), parsePrimary(primary), this.#clock.seconds());
      return { status: 'verified' };
    } catch (error) {
      return { status: 'failed', why: codeOf(error) };
    }
  }

  #put(claim: Claim): void {
    this.mine = this.mine.map((other) =>
      other.subject === claim.subject ? { ...claim, sync: other.sync } : other,
    );
  }

  #change(subject: string, change: Partial<Claim>): void {
    this.mine = this.mine.map((claim) => (claim.subject === subject ? { ...claim, ...change } : claim));
  }

  #unlocked(): Unlocked {
    if (!this.#account) throw new Refusal('locked');
    return this.#account;
  }
}

function claimOf(subject: string, since: string): Claim {
  const { system, name } = split(subject);
  return {
    subject,
    channel: isChannel(system) ? system : 'other',
    account: name,
    since,
    status: 'unchecked',
    why: null,
    detail: null,
    evidence: null,
    checkedAt: null,
    ...syncOf(false),
  };
}

/** What waits was interrupted: a person tries it again. */
function syncOf(isPending: boolean): { sync: SyncState; syncFailure: string | null } {
  return isPending ? { sync: 'failed', syncFailure: 'unavailable' } : { sync: 'synced', syncFailure: null };
}

function shown({ detail, evidence, checked_at: checkedAt }: Verdict) {
  return { detail: detail ?? null, evidence: safeEvidence(evidence), checkedAt };
}

/** The server names the address: only one that a browser opens as a page is shown as a link. */
function safeEvidence(evidence: string): string | null {
  return /^https:\/\//.test(evidence) && URL.canParse(evidence) ? evidence : null;
}

function isChannel(system: string): system is Channel {
  return ['github', 'dns', 'web', 'bluesky', 'ap', 'nostr'].includes(system);
}
