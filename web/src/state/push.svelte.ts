// Notifications of this browser as people see them: whether there can be any, whether they are on, and when to ask. What
// registers with the push network is loaded by those who have them on.
import type { Clock } from './clock.svelte.ts';
import type { Chats } from './chats.svelte.ts';
import type { Connection } from './connection.svelte.ts';
import type { MarkerStore } from '../storage/presence.ts';
import type { People } from './people.svelte.ts';
import type { PushDesk } from './push-desk.ts';
import type { Settings } from './settings.svelte.ts';
import type { News, Unlocked } from './unlocked.ts';

/** `install`: this system gives pushes to installed apps alone. `none`: this browser knows none. */
export type PushSupport = 'yes' | 'install' | 'none';

export interface PushTerms {
  connection: Connection;
  chats: Chats;
  people: People;
  settings: Settings;
  clock: Clock;
  store: MarkerStore | undefined;
  userAgent: string;
  databaseName?: string;
  /** Until when the account stays open without a touch, in milliseconds. */
  opensUntil(): number;
}

/** That a person does not want to be asked, and that some account has notifications on: no secrets. */
const DISMISSED = 'kez.push-dismissed';
const IN_USE = 'kez.push';

export class Push {
  readonly support: PushSupport;
  permission = $state<NotificationPermission>('default');
  /** Whether the unlocked account has notifications on, in this browser. */
  isOn = $state(false);
  /** Whether they say who has written, and what: only if the person has said so. */
  previews = $state(false);
  /** Whether to offer them unasked: once somebody has written, and never to who has decided. */
  isNudgeDue = $derived.by(() => this.#isUndecided && !this.isOn && this.#hasReceived);

  readonly #terms: PushTerms;
  #isDismissed = $state(false);
  #hasReceived = $derived.by(() =>
    this.#terms.chats.list.some(
      ({ unread, preview, lastIsMine }) => unread > 0 || (preview !== '' && !lastIsMine),
    ),
  );
  #isUndecided = $derived.by(
    () => !this.#isDismissed && this.support !== 'none' && this.permission !== 'denied',
  );
  #account: Unlocked | undefined;
  #desk: Promise<PushDesk> | undefined;

  constructor(terms: PushTerms) {
    this.#terms = terms;
    this.support = supportOf(terms.userAgent);
    this.#isDismissed = (terms.store?.getItem(DISMISSED) ?? null) !== null;
    this.lookAtPermission();
  }

  /** It may have been changed in the browser's own settings. */
  lookAtPermission(): void {
    if (this.support === 'yes') this.permission = Notification.permission;
  }

  unlocked(account: Unlocked): void {
    this.#account = account;
    this.lookAtPermission();
    void this.#read().then(() => this.looked());
  }

  /** There is a connection: what the server has lost is told again. */
  connected(): void {
    if (this.isOn) void this.#atDesk((desk, account) => desk.heal(account)).catch(() => undefined);
  }

  /** The tab ends, or the account is locked: `sessionEnded` says which. */
  closed(): void {
    this.#account = undefined;
    this.isOn = false;
    this.previews = false;
    // Nobody who locks waits for it to be loaded.
    void this.#desk?.then((desk) => desk.rest()).catch(() => undefined);
  }

  /** The browser has another subscription. */
  subscriptionChanged(): void {
    if (this.isOn) void this.#atDesk((desk, account) => desk.heal(account, true)).catch(() => undefined);
  }

  /**
   * An account is locked: nothing that opens or fetches its mail stays, and none of its notifications. What cannot be taken away
   * now is when a page finds the account locked.
   */
  async sessionEnded(primary: string): Promise<void> {
    if (!this.#isInUse()) return;
    try {
      await (await this.#open()).lock(primary);
    } catch {
      // The account is locked all the same.
    }
  }

  /** An account is about to be removed from this browser. */
  async forget(primary: string): Promise<void> {
    if (!this.#isInUse()) return;
    await (await this.#open()).forget(primary, this.#account);
    if (this.#account?.primary === primary) this.isOn = false;
  }

  /** Something has happened, here or in another tab. */
  hear(news: News): void {
    if (news.kind === 'push') void this.#read();
    if (news.kind === 'mail' && this.isOn) void this.#atDesk((desk, account) => desk.hear(news, account));
  }

  /** Everything up to this sequence of the mailbox has been taken in. */
  took(seq: number): void {
    if (this.isOn) void this.#atDesk((desk, account) => desk.took(seq, account));
  }

  /** The page is looked at again, or not any more. */
  looked(): void {
    this.lookAtPermission();
    if (this.isOn) void this.#atDesk((desk, account) => desk.looked(account)).catch(() => undefined);
  }

  /** For how long what opens mail may stay in this browser was chosen anew. */
  chosen(): void {
    if (this.#account && this.#isInUse())
      void this.#atDesk((desk, account) => desk.chosen(account)).catch(() => undefined);
  }

  /** Asks the browser, which asks the person: only ever after a click. `push_denied`, `push_failed`, and what the server says. */
  async turnOn(): Promise<void> {
    this.permission = await Notification.requestPermission();
    await this.#atDesk((desk, account) => desk.turnOn(account, this.previews));
    this.isOn = true;
    this.#terms.store?.setItem(IN_USE, 'yes');
    this.#account?.tabs.tell({ kind: 'push' });
  }

  async turnOff(): Promise<void> {
    await this.#atDesk((desk, account) => desk.turnOff(account));
    this.isOn = false;
    this.#account?.tabs.tell({ kind: 'push' });
    this.dismiss();
  }

  async setPreviews(previews: boolean): Promise<void> {
    // It says so when it is so: what opens mail is stored, or gone.
    if (this.isOn) await this.#atDesk((desk, account) => desk.setPreviews(account, previews));
    this.previews = previews;
    this.#account?.tabs.tell({ kind: 'push' });
  }

  /** Has the server push to this browser, now: the push network's answer, none if there was no connection to it. */
  test(): Promise<{ accepted: boolean; status: number | null }> {
    return this.#atDesk((desk, account) => desk.test(account));
  }

  /** Never offered again unasked. */
  dismiss(): void {
    this.#isDismissed = true;
    this.#terms.store?.setItem(DISMISSED, 'yes');
  }

  /** Whoever never turned notifications on loads nothing of them. */
  #isInUse(): boolean {
    const { store } = this.#terms;
    return store ? store.getItem(IN_USE) !== null : this.permission === 'granted';
  }

  async #read(): Promise<void> {
    if (!this.#isInUse()) return;
    await this.#atDesk(async (desk, account) => {
      const record = await desk.record(account.primary);
      this.isOn = record !== undefined;
      this.previews = record?.previews ?? this.previews;
    }).catch(() => undefined);
  }

  async #atDesk<Result>(work: (desk: PushDesk, account: Unlocked) => Promise<Result>): Promise<Result> {
    const desk = await this.#open();
    if (!this.#account) throw new Error('nothing is unlocked');
    return work(desk, this.#account);
  }

  /** What could not be loaded or opened once is tried again. */
  #open(): Promise<PushDesk> {
    this.#desk ??= import('./push-desk.ts')
      .then(({ PushDesk }) =>
        PushDesk.open({ ...this.#terms, isOpen: (account) => this.#account === account }),
      )
      .catch((error: unknown) => {
        this.#desk = undefined;
        throw error;
      });
    return this.#desk;
  }
}

/** iPads say that they are a Mac, which has no touch screen. */
function supportOf(userAgent: string): PushSupport {
  const { navigator } = globalThis;
  const has = ['Notification', 'PushManager'].every((name) => name in globalThis);
  if (has && navigator && 'serviceWorker' in navigator && !import.meta.env?.DEV) return 'yes';
  const isApple =
    /iPhone|iPad|iPod/.test(userAgent) || (/Macintosh/.test(userAgent) && navigator?.maxTouchPoints > 1);
  return isApple ? 'install' : 'none';
}
