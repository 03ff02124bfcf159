// The whole state of a page, put together from its parts, and what each of them hears of the others.
import { pause } from '../nats/delay.ts';
import { Http } from '../nats/http.ts';
import type { MarkerStore } from '../storage/presence.ts';
import type { Tasks } from '../workers/tasks.ts';
import { Account } from './account.svelte.ts';
import { Archive } from './archive.svelte.ts';
import { Chains } from './chains.svelte.ts';
import { Chats } from './chats.svelte.ts';
import { Claims } from './claims.svelte.ts';
import { Clock } from './clock.svelte.ts';
import { Connection } from './connection.svelte.ts';
import { deviceName, forgetDevice, keptDevice, makeDevice } from './device.ts';
import { Doze } from './doze.ts';
import { endAll } from './ending.ts';
import { Faces } from './faces.svelte.ts';
import { Handing } from './handing.ts';
import { Health } from './health.svelte.ts';
import { Mail } from './mail.ts';
import { People } from './people.svelte.ts';
import { Profile, type Draw } from './profile.svelte.ts';
import { Push } from './push.svelte.ts';
import { Search, type StartSearcher } from './search.svelte.ts';
import { Settings, type Choices } from './settings.svelte.ts';
import type { News, Unlocked } from './unlocked.ts';
import { Update } from './update.svelte.ts';

/** Between one contact who is handed a picture's key and the next pass so many milliseconds, and at most as many more. */
const PACE = 500;

/** What the platform gives: the browser in pages, something smaller in tests. */
export interface Platform {
  origin: string;
  work: Tasks & { stop?(): void };
  searcher: StartSearcher;
  draw: Draw;
  /** localStorage, where there is one. */
  store: MarkerStore | undefined;
  userAgent: string;
  databaseName?: string;
  clock?: Clock;
}

export class Kez {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly health = new Health();
  readonly update = new Update();
  readonly connection: Connection;
  readonly people: People;
  readonly faces = new Faces();
  readonly profile: Profile;
  readonly chains: Chains;
  readonly claims: Claims;
  readonly chats: Chats;
  readonly search: Search;
  readonly archive: Archive;
  readonly push: Push;
  readonly account: Account;

  readonly #platform: Platform;
  #mail: Mail | undefined;
  #account: Unlocked | undefined;
  #begun: Promise<void> = Promise.resolve();
  #left: Promise<unknown> = Promise.resolve();
  readonly #doze = new Doze({
    isWoken: () => this.push.isOn && this.push.permission === 'granted',
    leave: () => {
      this.#mail?.rest();
      return this.connection.close();
    },
    comeBack: () => void (this.#account && this.#connect(this.#account)),
  });
  #handing: Handing | undefined;

  constructor(platform: Platform) {
    const { origin, work, searcher, draw, store, databaseName } = platform;
    this.#platform = platform;
    this.settings = new Settings(store, (name) => this.#chosen(name));
    const clock = platform.clock ?? new Clock();
    this.clock = clock;
    const http = new Http(origin, (seconds) => clock.hear(seconds));
    this.connection = new Connection(http, clock);
    this.people = new People(this.connection, http, clock);
    const { people, faces, connection } = this;
    this.profile = new Profile({ people, faces, connection, clock, draw });
    this.chains = new Chains(this.connection, http, work, clock);
    this.claims = new Claims(this.chains, this.connection, clock);
    this.chats = new Chats(this.people);
    this.search = new Search(searcher);
    this.archive = new Archive(work, clock);
    this.push = new Push({
      connection: this.connection,
      chats: this.chats,
      people: this.people,
      settings: this.settings,
      clock,
      store,
      userAgent: platform.userAgent,
      ...(databaseName ? { databaseName } : {}),
      opensUntil: () => this.account.opensUntil(),
    });
    this.account = new Account({
      http,
      work,
      settings: this.settings,
      clock,
      health: this.health,
      markers: store,
      ...(databaseName ? { databaseName } : {}),
      begin: (account) => (this.#begun = this.#begin(account)),
      connect: (account) => this.#connect(account),
      end: () => this.#end(),
      left: () => this.#left,
      sessionEnded: (primary) => this.push.sessionEnded(primary),
      forgetting: (primary) => this.push.forget(primary),
      heard: (news) => this.#heardElsewhere(news),
    });
  }

  /** The page is looked at, hidden, stopped by the browser, or goes on. */
  looked(how: 'visible' | 'hidden' | 'frozen'): void {
    this.push.looked();
    if (how === 'visible') this.#doze.looked();
    else if (how === 'hidden') this.#doze.hidden();
    else this.#doze.frozen();
    // A page that is stopped does nothing for the other tabs, also where no push would wake it.
    if (how === 'frozen') this.#mail?.rest();
    else if (!this.#doze.isAway) this.#mail?.goOn();
  }

  /** The page goes: everything ends, and the session stays for the next page. */
  async close(): Promise<void> {
    await this.account.close();
  }

  async #begin(account: Unlocked): Promise<void> {
    const mail: Mail = new Mail(account, {
      connection: this.connection,
      chains: this.chains,
      work: this.#platform.work,
      clock: this.clock,
      health: this.health,
      // What it has begun ends after it was locked.
      heard: (news) => this.#mail === mail && this.#heard(news),
      took: (seq) => this.push.took(seq),
    });
    this.#mail = mail;
    this.#account = account;
    this.chains.unlocked(account);
    this.claims.unlocked(account);
    this.search.unlocked(account);
    this.archive.unlocked(account, (news) => mail.mailroom.tell(news));
    const { mailroom } = mail;
    const handing = new Handing({
      mailroom,
      mine: () => this.faces.mine,
      now: () => this.clock.now(),
      pause: (signal) => pause(PACE * (1 + Math.random()), signal),
    });
    this.#handing = handing;
    this.profile.unlocked(account, (picture) => handing.begin(picture));
    await this.people.unlocked(account, (news) => mailroom.tell(news));
    await this.faces.unlocked(account);
    await this.chats.unlocked(mailroom, {
      readReceipts: () => this.settings.readReceipts,
      hasSiblings: () => mail.hasSiblings(),
      now: () => this.clock.now(),
      wrote: (peer) => handing.wrote(peer),
    });
    this.push.unlocked(account);
  }

  /** Signs in as this browser's own device; as the identity itself where that cannot be. */
  async #connect(account: Unlocked): Promise<void> {
    const mail = this.#mail;
    const device = account.device ?? (await keptDevice(account.mailbox));
    if (!this.#isOpen(account)) return;
    account.device ??= device;
    if (!account.device && account.identity) await this.#makeDevice(account);
    if (!this.#isOpen(account)) return;
    // After a reload without a device of its own, only the passphrase can sign in.
    if (!account.speaker) return void (await this.account.lock());
    await this.account.keepSession(account);
    if (!this.#isOpen(account)) return;
    const opening = this.connection.open(account, {
      opened: (client) => {
        mail?.opened(client);
        this.people.attach(client);
        this.people.connected();
        this.push.connected();
        // Another device may have changed my profile.
        this.people.look(account.primary);
        void this.#deviceLater(account);
      },
      disturbed: () => {
        mail?.disturbed();
        this.people.connected();
      },
      diagnose: () => this.#diagnose(account),
    });
    mail?.start();
    void this.#handing?.resume().catch(() => undefined);
    // A page is not kept waiting by a network that is away.
    void opening.catch(() => undefined);
  }

  /** Whether it is not locked: asked after whatever takes time, since anybody may lock meanwhile, in any tab. */
  #isOpen(account: Unlocked): boolean {
    return this.#account === account;
  }

  async #makeDevice(account: Unlocked): Promise<void> {
    try {
      const device = await makeDevice(account, this.chains, deviceName(this.#platform.userAgent));
      if (this.#isOpen(account)) account.device = device;
    } catch {
      // The sigchain service is away: the identity signs until it is back.
    }
  }

  /** What could not be done when the account was unlocked is done when the server can be reached. */
  async #deviceLater(account: Unlocked): Promise<void> {
    if (account.device || !account.identity) return;
    await this.#makeDevice(account);
    if (account.device) await this.#connect(account);
  }

  /** The server does not let this browser in: its own sigchain may say why. */
  async #diagnose(account: Unlocked): Promise<string> {
    const chain = await this.chains.read(account.primary);
    if (!this.#isOpen(account)) return 'unauthorized';
    if (chain.successor) return 'key_rotated';
    const { device } = account;
    if (!device || chain.fault || chain.devices.some((one) => one.device === device.primary))
      return 'unauthorized';
    await forgetDevice(account.mailbox);
    if (!this.#isOpen(account)) return 'unauthorized';
    account.device = undefined;
    if (account.identity) await this.#connect(account);
    else await this.account.lock('unknown_device');
    return 'unknown_device';
  }

  /** Wipes before anything that takes time, and waits for no network: `#left` does. */
  async #end(): Promise<void> {
    const [mail, account] = [this.#mail, this.#account];
    this.#mail = undefined;
    this.#account = undefined;
    this.#doze.stop();
    this.#handing?.close();
    this.#handing = undefined;
    this.push.closed();
    const wiped = this.#wipe();
    // Whoever reads and sends next waits until this one has written its last.
    const written = Promise.resolve(mail?.close()).finally(() => account?.tabs.close());
    this.#left = Promise.allSettled([this.#left, written, this.connection.close()]);
    await wiped;
    // What was still being read when it was locked.
    await this.#begun.catch(() => undefined);
    await this.#wipe();
  }

  /** At once, but for drafts that are still to be written. */
  #wipe(): Promise<void> {
    const { chats, search, archive, claims, profile, faces, people, chains } = this;
    const parts = [chats, search, archive, claims, profile, faces, people, chains];
    return endAll(parts.map((part) => () => part.locked()));
  }

  /** A choice is another one, made here or in another tab: what follows from it is not put off. */
  #chosen(name: keyof Choices): void {
    if (name !== 'staysUnlocked' && name !== 'lockAfter') return;
    const account = this.#account;
    // One that does not know its device yet keeps its session as soon as it does.
    const mayKeep = account?.device !== undefined || !this.settings.staysUnlocked;
    if (name === 'staysUnlocked' && account && mayKeep)
      void this.account.keepSession(account).catch(() => undefined);
    this.push.chosen();
  }

  /** Something has changed, here or elsewhere. */
  #heard(news: News): void {
    this.chats.hear(news);
    this.search.hear(news);
    this.push.hear(news);
    this.faces.hear(news);
    void this.people.hear(news);
  }

  #heardElsewhere(news: News): void {
    if (news.kind === 'locked') return void this.account.lockedElsewhere();
    if (news.kind === 'removed') return void this.account.removedElsewhere();
    this.#mail?.hear(news);
    this.#heard(news);
  }
}
