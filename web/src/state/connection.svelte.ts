// The link to the broker as people see it: live or not, to which server, how fast, since when.
import type { NatsConnection } from '@nats-io/nats-core';
import { hexOf } from '../crypto/primary.ts';
import { Calls } from '../nats/calls.ts';
import { paths } from '../nats/contract.ts';
import type { Http } from '../nats/http.ts';
import { Link, type LinkState as NatsLinkState } from '../nats/link.ts';
import { Refusal } from '../nats/refusal.ts';
import type { Clock } from './clock.svelte.ts';
import type { Unlocked } from './unlocked.ts';

/** `closed`: locked. `refused`: the server does not let us in, or its sign-in service is away (it tells nobody which). */
export type LinkState = 'closed' | 'connecting' | 'live' | 'reconnecting' | 'offline' | 'refused';

/** Who wants to know of the link. */
export interface LinkListener {
  opened(client: NatsConnection): void;
  disturbed(): void;
  /** Why it was refused, as far as that can be found out; asked again at each refusal. */
  diagnose(): Promise<string>;
}

export class Connection {
  state = $state<LinkState>('closed');
  /** Since when the state is what it is, in milliseconds. */
  since = $state(Date.now());
  /** The domain after the @. */
  server = $state('');
  /** The address the browser is connected to. */
  url = $state('');
  /** Round trip in milliseconds; null before the first one. */
  latency = $state<number | null>(null);
  /** Why it was refused, if that can be found out: `clock_skew`, `unknown_device`, `key_rotated`, or `unauthorized`. */
  refusal = $state<string | null>(null);
  isLive = $derived(this.state === 'live');

  readonly #http: Http;
  readonly #clock: Clock;
  #link: Link | undefined;
  #linkState: NatsLinkState = 'closed';
  #calls: Calls | undefined;
  #listener: LinkListener | undefined;
  readonly #waiting = new Set<() => void>();
  readonly #onOnline = () => this.#network();

  constructor(http: Http, clock: Clock) {
    this.#http = http;
    this.#clock = clock;
  }

  /** The calls of whoever is signed in. Until it is known where the broker is, they are as good as unanswered. */
  get calls(): Calls {
    if (!this.#calls) throw new Refusal(this.#listener ? 'unavailable' : 'locked');
    return this.#calls;
  }

  /** Waits until it is live; false where the signal has ended the wait. */
  whenLive(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const done = () => {
        this.#waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve(!signal.aborted);
      };
      if (this.state === 'live' || signal.aborted) return done();
      this.#waiting.add(done);
      signal.addEventListener('abort', done);
    });
  }

  /** Connects and stays connected until it is closed. */
  async open(account: Unlocked, listener: LinkListener): Promise<void> {
    // The old link may take as long as the network does.
    void this.close();
    const { speaker } = account;
    if (!speaker) throw new Refusal('needs_passphrase');
    this.server = account.server;
    this.#listener = listener;
    this.#tell('connecting');
    const urls = await this.#urls();
    // Locked, or opened for somebody else, while the server was asked.
    if (this.#listener !== listener) return;
    const link: Link = new Link(
      { urls, server: account.server, speaker, now: () => this.#clock.seconds() },
      {
        changed: (state, url) => {
          if (this.#link === link) this.#changed(state, url);
        },
        opened: (client) => {
          listener.opened(client);
          void this.measure();
        },
        disturbed: () => listener.disturbed(),
      },
    );
    this.#link = link;
    this.#calls = new Calls(() => link.client, hexOf(account.primary), hexOf(speaker.signer.primary));
    globalThis.addEventListener?.('online', this.#onOnline);
    globalThis.addEventListener?.('offline', this.#onOnline);
    link.open();
  }

  /** Nothing is called or heard from here on; the old link is gone when this returns. */
  async close(): Promise<void> {
    globalThis.removeEventListener?.('online', this.#onOnline);
    globalThis.removeEventListener?.('offline', this.#onOnline);
    const link = this.#link;
    this.#link = undefined;
    this.#linkState = 'closed';
    this.#calls = undefined;
    this.#listener = undefined;
    this.#tell('closed');
    this.latency = null;
    this.refusal = null;
    await link?.close().catch(() => undefined);
  }

  /** Does not wait for the next attempt. */
  retry(): void {
    void this.#link?.retry();
  }

  /** Signs in again: rights are decided then. */
  async signInAgain(): Promise<void> {
    await this.#link?.again();
  }

  /** Measures the round trip anew, as when the popover opens. */
  async measure(): Promise<void> {
    try {
      if (this.#link?.client) this.latency = Math.max(1, Math.round(await this.#link.measure()));
    } catch {
      this.latency = null;
    }
  }

  /** The server's own word, or the tunnel of the page's own origin where that cannot be had. */
  async #urls(): Promise<string[]> {
    try {
      const { nats } = await this.#http.config();
      if (nats.length > 0) return nats;
    } catch {
      // Offline, perhaps: the link finds out.
    }
    return [this.#http.webSocket(paths.nats)];
  }

  #changed(state: NatsLinkState, url: string): void {
    this.#linkState = state;
    this.url = url;
    this.#network();
    if (state === 'refused') void this.#diagnose();
    if (state === 'live') this.refusal = null;
  }

  /** What the link is, or that there is no network at all. */
  #network(): void {
    const isOffline = globalThis.navigator?.onLine === false;
    // A server on this very machine is there without a network: it is asked.
    if (this.#linkState === 'live' && isOffline) void this.#link?.prove();
    if (this.#linkState !== 'live' && this.#linkState !== 'closed' && isOffline) this.#tell('offline');
    else {
      if (this.state === 'offline' && !isOffline) this.retry();
      this.#tell(this.#linkState);
    }
  }

  #tell(state: LinkState): void {
    if (state === this.state) return;
    this.state = state;
    this.since = Date.now();
    if (state === 'live') for (const done of [...this.#waiting]) done();
  }

  async #diagnose(): Promise<void> {
    const listener = this.#listener;
    try {
      await this.#http.config();
      const why = this.#clock.isTooWrong ? 'clock_skew' : await listener?.diagnose();
      if (this.#listener === listener && this.#linkState === 'refused') this.refusal = why ?? 'unauthorized';
    } catch {
      this.refusal ??= 'unauthorized';
    }
  }
}
