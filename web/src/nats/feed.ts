// Following one's mailbox: what lies there, then what comes, in order and exactly once. As `client/follow.rs` does it.
import type { NatsConnection, Subscription } from '@nats-io/nats-core';
import { delay, pause } from './delay.ts';
import { subjects } from './contract.ts';
import { readLive, type Stored } from './live.ts';
import { Order } from './order.ts';
import { Refusal } from './refusal.ts';

/**
 * The live feed is at most once: should the last message of a burst be lost, no gap shows until the next one comes. So the
 * mailbox is looked into every so often. In milliseconds.
 */
const LOOK_EVERY = 300_000;

export interface FeedTerms {
  /** Whose mailbox, 64 hex digits. */
  primary: string;
  /** Everything up to this sequence was taken in before. */
  since: number;
  fetch(since: number): Promise<{ messages: Stored[]; more: boolean }>;
  /** Takes messages in, in order; what it throws is tried again. `isCaughtUp`: nothing more is known to lie there. */
  take(messages: Stored[], isCaughtUp: boolean): Promise<void>;
}

export class Feed {
  readonly #terms: FeedTerms;
  readonly #order: Order<Stored>;
  readonly #stopped = new AbortController();
  #wake: () => void = () => undefined;
  #subscription: Subscription | undefined;
  #failures = 0;

  constructor(terms: FeedTerms) {
    this.#terms = terms;
    this.#order = new Order(terms.since);
  }

  /** Listens on a new client, and looks for what came before it was there. */
  attach(client: NatsConnection): void {
    // Nobody would take what comes, nor end the subscription.
    if (this.#stopped.signal.aborted) return;
    this.#subscription?.unsubscribe();
    const { primary } = this.#terms;
    this.#subscription = client.subscribe(subjects.live(primary), {
      callback: (error, message) => {
        const live = error ? undefined : readLive(message, primary);
        if (live) this.#order.live(live.stored.seq, live.previous, live.stored);
        this.#wake();
      },
    });
    this.disturb();
  }

  /** Something may have been missed. */
  disturb(): void {
    this.#order.disturb();
    this.#failures = 0;
    this.#wake();
  }

  /** Runs until it is stopped. */
  async run(): Promise<void> {
    const stopped = this.#stopped.signal;
    const timer = setInterval(() => this.disturb(), LOOK_EVERY);
    const end = aborted(stopped);
    while (!stopped.aborted) {
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      const ready = this.#order.take().map(({ item }) => item);
      const look = this.#order.look();
      if (ready.length > 0) await this.#handOver(ready, !look);
      else if (look) await this.#fetch(look.since, look.again, woken);
      else await Promise.race([woken, end]);
    }
    clearInterval(timer);
  }

  stop(): void {
    this.#stopped.abort();
    this.#subscription?.unsubscribe();
  }

  /** What cannot be taken in now, as when storage is full, is offered again: nothing may be passed over. */
  async #handOver(messages: Stored[], isCaughtUp: boolean): Promise<void> {
    for (let attempt = 0; !this.#stopped.signal.aborted; attempt++) {
      try {
        return await this.#terms.take(messages, isCaughtUp);
      } catch {
        await pause(delay(attempt + 2), this.#stopped.signal);
      }
    }
  }

  async #fetch(since: number, again: number, woken: Promise<void>): Promise<void> {
    const stopped = this.#stopped.signal;
    if (again > 0) await pause(delay(again), stopped);
    try {
      const page = await this.#terms.fetch(since);
      this.#failures = 0;
      this.#order.page(
        page.messages.map((stored) => ({ seq: stored.seq, item: stored })),
        page.more,
      );
    } catch (error) {
      const asked = error instanceof Refusal ? Math.min(error.retryAfter ?? 0, 60) * 1000 : 0;
      const wait = Math.max(delay(this.#failures++), asked);
      // A new connection need not wait.
      await Promise.race([pause(wait, stopped), woken]);
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
