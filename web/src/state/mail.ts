// The mail of an unlocked account: one tab follows the mailbox and sends what waits; all of them hear what has changed.
import type { NatsConnection } from '@nats-io/nats-core';
import { hexOf } from '../crypto/primary.ts';
import { Verbatim } from '../nats/calls.ts';
import { ACK, FETCH, SEND, limits } from '../nats/contract.ts';
import { Feed } from '../nats/feed.ts';
import type { KeptOutgoing } from '../storage/kept.ts';
import type { Tasks } from '../workers/tasks.ts';
import type { Chains } from './chains.svelte.ts';
import type { Clock } from './clock.svelte.ts';
import type { Connection } from './connection.svelte.ts';
import type { Health } from './health.svelte.ts';
import { CURSOR, Incoming } from './incoming.ts';
import { Mailroom } from './mailroom.ts';
import { Outbox } from './outbox.ts';
import { codeOf } from './refusal.ts';
import { Siblings } from './siblings.ts';
import type { News, Unlocked } from './unlocked.ts';

export interface MailTerms {
  connection: Connection;
  chains: Chains;
  work: Pick<Tasks, 'open'>;
  clock: Clock;
  health: Health;
  /** What has changed, in this tab. */
  heard(news: News): unknown;
  /** Everything up to this sequence of the mailbox is kept. */
  took(seq: number): void;
}

/** Acknowledgements are gathered for so long, in milliseconds. */
const ACK_DELAY = 1_000;

export class Mail {
  readonly mailroom: Mailroom;
  readonly #account: Unlocked;
  readonly #terms: MailTerms;
  readonly #outbox: Outbox;
  readonly #incoming: Incoming;
  readonly #siblings: Siblings;
  #feed: Feed | undefined;
  #running: Promise<void> = Promise.resolve();
  #client: NatsConnection | undefined;
  #acked = 0;
  #ackTimer: ReturnType<typeof setTimeout> | undefined;
  #stage: 'new' | 'follows' | 'rests' = 'new';
  #isClosed = false;

  constructor(account: Unlocked, terms: MailTerms) {
    this.#account = account;
    this.#terms = terms;
    this.mailroom = new Mailroom(account, {
      health: terms.health,
      heard: (news) => terms.heard(news),
      posted: (waiting) => this.#posted(waiting),
    });
    this.#outbox = new Outbox({
      mailroom: this.mailroom,
      copy: (message) => this.#siblings.copy(message),
      maySend: () => account.tabs.leads && terms.connection.isLive && !this.#isClosed,
      now: () => terms.clock.serverSeconds() * 1000,
      send: async ({ peer, kind, sealed }) => {
        // Nobody's phone is woken by what is not read.
        const silence = kind === 'text' ? {} : { silent: true };
        await terms.connection.calls.call(SEND, { to: peer, envelope: new Verbatim(sealed), ...silence });
      },
    });
    this.#siblings = new Siblings(this.mailroom, terms.chains);
    this.#incoming = new Incoming({
      mailroom: this.mailroom,
      work: terms.work,
      vouch: (primary, device) => terms.chains.vouch(primary, device),
      now: () => terms.clock.serverSeconds(),
    });
  }

  /** Whether other devices of mine are to know what I have read. */
  hasSiblings(): Promise<boolean> {
    return this.#siblings.exist();
  }

  /** It goes on over every connection, until it is to rest. */
  start(): void {
    if (this.#stage === 'follows') return;
    this.#stage = 'follows';
    this.#account.tabs.lead((turn) => void this.#lead(turn));
  }

  /** The page is about to be stopped: whichever tab is looked at reads and sends from now on. Waits for nothing. */
  rest(): void {
    if (this.#stage !== 'follows') return;
    this.#stage = 'rests';
    this.#account.tabs.giveUp();
  }

  /** The page was not stopped, or is no more. */
  goOn(): void {
    if (this.#stage === 'rests') this.start();
  }

  /** There is a new client. */
  opened(client: NatsConnection): void {
    this.#client = client;
    this.#feed?.attach(client);
    this.#siblings.follow(client);
    if (this.#account.tabs.leads) this.#incoming.resume();
    this.#outbox.kick();
  }

  /** The client has been connected again. */
  disturbed(): void {
    this.#feed?.disturb();
    this.#siblings.disturb();
    this.#outbox.kick();
  }

  /** Another tab has something to be sent. */
  hear(news: News): void {
    if (news.kind === 'outbox' && this.#account.tabs.leads) this.#outbox.kick();
  }

  /** When this returns, nothing of it reads or writes any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#ackTimer);
    this.#outbox.stop();
    this.#feed?.stop();
    await Promise.all([this.#running, this.#incoming.stop(), this.#siblings.close()]);
  }

  /** Something waits in the outbox: this tab sends it, or asks the one that does. */
  #posted(waiting: readonly KeptOutgoing[]): void {
    if (this.#account.tabs.leads) this.#outbox.kick(waiting);
    else this.#account.tabs.tell({ kind: 'outbox' });
  }

  async #lead(turn: AbortSignal): Promise<void> {
    // What an earlier turn has begun ends first.
    await this.#running;
    const since = ((await this.#account.mailbox.note(CURSOR)) as number | undefined) ?? 0;
    if (this.#isClosed || turn.aborted) return;
    const feed = new Feed({
      primary: hexOf(this.#account.primary),
      since,
      fetch: (since) => this.#fetch(since),
      take: async (messages) => {
        await this.#incoming.take(messages);
        this.#terms.took(messages.at(-1)?.seq ?? 0);
        this.#ackSoon(messages.at(-1)?.seq ?? 0);
      },
    });
    this.#feed = feed;
    turn.addEventListener('abort', () => feed.stop());
    if (this.#client && !this.#client.isClosed()) feed.attach(this.#client);
    this.#running = feed.run();
    this.#incoming.resume();
    this.#outbox.kick();
    this.#ackSoon(since);
  }

  async #fetch(since: number) {
    try {
      const request = { since, limit: limits.inbox.maxPage };
      const { messages, more } = await this.#terms.connection.calls.call(FETCH, request);
      const stored = messages.map(({ seq, received_at, envelope }) => ({
        seq,
        receivedAt: received_at,
        envelope,
      }));
      return { messages: stored, more };
    } catch (error) {
      // The sign-in service hears of a registration moments after it: rights are decided when one signs in.
      if (codeOf(error) === 'unauthorized') await this.#terms.connection.signInAgain();
      throw error;
    }
  }

  /** Only a device of its own acknowledges: the identity's cursor is shared with others that have not read yet. */
  #ackSoon(seq: number): void {
    if (!this.#account.device || seq <= this.#acked || this.#ackTimer !== undefined) return;
    this.#ackTimer = setTimeout(() => void this.#ack(), ACK_DELAY);
  }

  async #ack(): Promise<void> {
    this.#ackTimer = undefined;
    try {
      const seq = ((await this.#account.mailbox.note(CURSOR)) as number | undefined) ?? 0;
      if (this.#isClosed || seq <= this.#acked) return;
      await this.#terms.connection.calls.call(ACK, { seq });
      this.#acked = seq;
    } catch {
      // The next message acknowledges this one too.
    }
  }
}
