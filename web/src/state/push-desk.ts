// Where notifications are arranged: the browser's push subscription, what the server is told of it, and what the service
// worker needs when a push wakes it.
import { fromBase64url, sameBytes } from '../crypto/bytes.ts';
import { SUBSCRIBE, SUBSCRIPTIONS, TEST, UNSUBSCRIBE, VAPID_KEY } from '../nats/contract.ts';
import { Refusal } from '../nats/refusal.ts';
import { lockedRecord, Wakes, type WakeRecord } from '../storage/wakes.ts';
import { CURSOR } from './incoming.ts';
import type { PushTerms } from './push.svelte.ts';
import { arrived, closeNotices, setBadge, tidingsOf } from './push-notices.ts';
import type { News, Unlocked } from './unlocked.ts';
import { isFresh, makeCredential } from './wake-credential.ts';

/** What was taken in is written so many milliseconds later: the next message may be there by then. */
const WRITE_DELAY = 300;
/** It is looked so often whether the credential is to be renewed, in milliseconds. */
const LOOK_EVERY = 10 * 60 * 1000;
/** A connection that breaks and comes back is no reason to ask the server again before so long, in milliseconds. */
const HEAL_EVERY = 10 * 60 * 1000;
/** How long somebody who wants no notifications any more waits for the connection, so that the server hears of it. */
const END_PATIENCE = 10_000;
/** How long a test may be on its way, and how long the server waits for the push network, in milliseconds. */
const TEST_TIME = 60_000;
const TEST_PATIENCE = 15_000;

export interface DeskTerms extends PushTerms {
  /** Whether the account is the one that is unlocked now. */
  isOpen(account: Unlocked): boolean;
}

export class PushDesk {
  readonly #terms: DeskTerms;
  readonly #wakes: Wakes;
  #took = 0;
  #healedAt = 0;
  #last: Promise<unknown> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #renewal: ReturnType<typeof setInterval> | undefined;

  private constructor(terms: DeskTerms, wakes: Wakes) {
    this.#terms = terms;
    this.#wakes = wakes;
  }

  static async open(terms: DeskTerms): Promise<PushDesk> {
    const name = terms.databaseName ? `${terms.databaseName}-wake` : undefined;
    return new PushDesk(terms, await Wakes.open(name));
  }

  record(primary: string): Promise<WakeRecord | undefined> {
    return this.#wakes.get(primary);
  }

  /** Subscribes this browser, has the server know, and leaves the service worker what it needs. */
  turnOn(account: Unlocked, previews: boolean): Promise<void> {
    return this.#inTurn(() => this.#turnOn(account, previews));
  }

  async turnOff(account: Unlocked): Promise<void> {
    await this.forget(account.primary, account);
  }

  async setPreviews(account: Unlocked, previews: boolean): Promise<void> {
    await this.#wakes.change(account.primary, (record) => ({ ...record, previews }));
    await this.#equip(account);
  }

  /** What the server or the browser has lost is made anew; the credential is renewed. */
  heal(account: Unlocked, isUrgent = false): Promise<void> {
    return this.#inTurn(() => this.#heal(account, isUrgent));
  }

  async test(account: Unlocked): Promise<{ accepted: boolean; status: number | null }> {
    const record = await this.#wakes.get(account.primary);
    if (!record) throw new Refusal('push_failed');
    const testUntil = this.#terms.clock.now() + TEST_TIME;
    await this.#wakes.change(account.primary, (now) => ({ ...now, testUntil }));
    const tested = await this.#terms.connection.calls.call(
      TEST,
      { endpoint: record.endpoint },
      TEST_PATIENCE,
    );
    if (!tested.accepted) await this.heal(account, true);
    return tested;
  }

  /** What lets anyone open or fetch mail goes; that the account wants to be woken stays. */
  async lock(primary: string): Promise<void> {
    this.rest();
    await this.#wakes.change(primary, lockedRecord);
    await closeNotices(primary);
    await setBadge(0);
  }

  /**
   * The account is woken no more. The server is told by who is signed in; where nobody is, the browser's subscription ends
   * and with it what the server has, and the other accounts of this browser subscribe anew when they are unlocked.
   */
  forget(primary: string, account: Unlocked | undefined): Promise<void> {
    return this.#inTurn(() => this.#forget(primary, account));
  }

  /** Mail has come or was read: told, where nobody looks, and taken back, where somebody has read it. */
  async hear(news: News & { kind: 'mail' }, account: Unlocked): Promise<void> {
    const { chats, people } = this.#terms;
    const record = await this.#wakes.get(account.primary);
    if (!record) return;
    const isHidden = globalThis.document?.visibilityState === 'hidden';
    const unread = chats.unreadPeers();
    // What was read elsewhere before it came here is nothing to tell of.
    const incoming = news.messages.filter(({ isMine, peer }) => !isMine && unread.has(peer));
    if (isHidden && account.tabs.leads && incoming.length > 0) {
      const tidings = record.previews ? await tidingsOf(chats, people, incoming.at(-1)) : null;
      // Names take their time: locked meanwhile, nothing is said any more.
      if (!this.#terms.isOpen(account)) return;
      await arrived({ account: account.primary, tidings });
    } else await closeNotices(account.primary, unread, !isHidden);
    await setBadge(chats.unread);
  }

  async took(seq: number, account: Unlocked): Promise<void> {
    this.#took = Math.max(this.#took, seq);
    this.#timer ??= setTimeout(() => void this.#writeTaken(account.primary), WRITE_DELAY);
  }

  /** Somebody looks at the page, or nobody does any more: the last moment to leave everything as it should be. */
  async looked(account: Unlocked): Promise<void> {
    await this.#writeTaken(account.primary);
    await this.#equip(account);
    if (globalThis.document?.visibilityState === 'hidden') return;
    await closeNotices(account.primary, this.#terms.chats.unreadPeers());
  }

  /** Where no account stays unlocked, nothing that opens mail is left of any; where one does, it is for as long as was chosen. */
  async chosen(account: Unlocked): Promise<void> {
    if (!this.#terms.settings.staysUnlocked)
      for (const { primary } of await this.#wakes.all())
        await this.#wakes.change(primary, ({ opening: _, ...record }) => record);
    await this.#equip(account);
  }

  /** Nothing is written any more. */
  rest(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#renewal);
    this.#timer = undefined;
    this.#renewal = undefined;
    this.#took = 0;
    this.#healedAt = 0;
  }

  /** One after the other: what is healed while it ends would be subscribed again. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(work, work);
    this.#last = turn;
    return turn;
  }

  async #turnOn(account: Unlocked, previews: boolean): Promise<void> {
    if (Notification.permission !== 'granted') throw new Refusal('push_denied');
    const endpoint = await this.#subscribe();
    const { primary, handle, server } = account;
    const since = ((await account.mailbox.note(CURSOR)) as number | undefined) ?? 0;
    await this.#wakes.put({ primary, handle, server, endpoint, previews, since, told: since, unread: 0 });
    await this.#equip(account);
  }

  async #heal(account: Unlocked, isUrgent: boolean): Promise<void> {
    const now = this.#terms.clock.now();
    // Another one may have been unlocked since it was asked for.
    if (!this.#terms.isOpen(account)) return;
    if (!isUrgent && now - this.#healedAt < HEAL_EVERY) return;
    const record = await this.#wakes.get(account.primary);
    if (!record || Notification.permission !== 'granted') return;
    const { calls } = this.#terms.connection;
    const standing = await this.#browserSubscription();
    const { endpoint } = standing;
    const { subscriptions } = await calls.call(SUBSCRIPTIONS, {});
    if (!subscriptions.some((one) => one.endpoint === endpoint)) await this.#tellServer(standing);
    if (record.endpoint !== endpoint) await calls.call(UNSUBSCRIBE, { endpoint: record.endpoint });
    await this.#wakes.change(account.primary, (before) => ({ ...before, endpoint }));
    this.#healedAt = now;
    await this.#equip(account);
    this.#renewal ??= setInterval(() => void this.looked(account).catch(() => undefined), LOOK_EVERY);
  }

  async #forget(primary: string, account: Unlocked | undefined): Promise<void> {
    const record = await this.#wakes.get(primary);
    if (!record) return;
    const wasTold = account?.primary === primary && (await this.#tellServerOfEnd(record.endpoint, account));
    await this.#wakes.remove(primary);
    await closeNotices(primary);
    const isLast = (await this.#wakes.all()).length === 0;
    if (!wasTold || isLast) await endSubscription();
    if (!isLast && !wasTold && account && account.primary !== primary) await this.#heal(account, true);
  }

  async #writeTaken(primary: string): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const since = this.#took;
    const { unread } = this.#terms.chats;
    await this.#wakes.change(primary, (record) => ({
      ...record,
      since: Math.max(record.since, since),
      told: Math.max(record.told, since),
      unread,
    }));
  }

  /** Leaves the service worker a credential that is good for most of a day, and what opens mail if that is wished. */
  async #equip(account: Unlocked): Promise<void> {
    const { connection, clock, settings } = this.#terms;
    const record = await this.#wakes.get(account.primary);
    if (!record) return;
    const now = clock.now();
    const { speaker } = account;
    const credential =
      isFresh(record.credential, now) || !speaker || connection.url === ''
        ? record.credential
        : await makeCredential(speaker, { url: connection.url, server: account.server, now });
    // What survives a reload of the page may serve the service worker; what does not, may not.
    const opens = record.previews && settings.staysUnlocked && account.device !== undefined;
    const pair = opens ? await account.opener.portablePair() : undefined;
    const opening = pair && { pair, until: this.#terms.opensUntil() };
    await this.#wakes.change(account.primary, (before) => {
      // Locked meanwhile: nothing that was taken away comes back.
      if (!this.#terms.isOpen(account)) return before;
      const rest = lockedRecord(before);
      const mayOpen = opening && settings.staysUnlocked;
      return { ...rest, ...(credential ? { credential } : {}), ...(mayOpen ? { opening } : {}) };
    });
  }

  async #subscribe(): Promise<string> {
    const subscription = await this.#browserSubscription();
    await this.#tellServer(subscription);
    return subscription.endpoint;
  }

  /** The browser's one subscription, which all its accounts share; made anew where it is for another server key. */
  async #browserSubscription(): Promise<PushSubscription> {
    const { pushManager } = await navigator.serviceWorker.ready;
    const { key } = await this.#terms.connection.calls.call(VAPID_KEY, {});
    const applicationServerKey = fromBase64url(key);
    const standing = await pushManager.getSubscription();
    const standsFor = standing?.options.applicationServerKey;
    if (standing && standsFor && sameBytes(new Uint8Array(standsFor), applicationServerKey)) return standing;
    try {
      await standing?.unsubscribe();
      return await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
    } catch (error) {
      throw new Refusal('push_failed', error instanceof Error ? error.name : '');
    }
  }

  async #tellServer(subscription: PushSubscription): Promise<void> {
    const { endpoint, keys } = subscription.toJSON();
    const [p256dh, auth] = [keys?.['p256dh'], keys?.['auth']];
    if (!endpoint || !p256dh || !auth) throw new Refusal('push_failed');
    await this.#terms.connection.calls.call(SUBSCRIBE, { endpoint, keys: { p256dh, auth } });
  }

  /** Whether it was told: by the account itself, or by nobody. */
  async #tellServerOfEnd(endpoint: string, account: Unlocked): Promise<boolean> {
    const { connection, isOpen } = this.#terms;
    try {
      await connection.whenLive(AbortSignal.timeout(END_PATIENCE));
      if (!isOpen(account)) return false;
      await connection.calls.call(UNSUBSCRIBE, { endpoint });
      return true;
    } catch {
      return false;
    }
  }
}

async function endSubscription(): Promise<void> {
  const service = await navigator.serviceWorker.getRegistration();
  await (await service?.pushManager.getSubscription())?.unsubscribe();
}
