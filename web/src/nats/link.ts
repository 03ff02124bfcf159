// The link to the broker: one client at a time, signed in with a session, made again for ever when it breaks.
import type { NatsConnection, Status } from '@nats-io/nats-core';
import { hexOf } from '../crypto/primary.ts';
import { subjects } from './contract.ts';
import { delay, pause } from './delay.ts';
import { Session, type Speaker } from './session.ts';

/** `refused`: the broker does not let us in, or its sign-in service is away (it tells nobody which). */
export type LinkState = 'closed' | 'connecting' | 'live' | 'reconnecting' | 'refused';

export interface LinkTerms {
  /** Where the broker takes WebSockets, the best first: `ws://…` or `wss://…`. */
  urls: readonly string[];
  /** The domain after the @, for which the session is signed. */
  server: string;
  speaker: Speaker;
  /** Seconds. */
  now: () => number;
}

export interface LinkEvents {
  changed(state: LinkState, url: string): void;
  /** There is a new client: whoever subscribes does so again. */
  opened(client: NatsConnection): void;
  /** The client has been connected again: something may have been missed. */
  disturbed(): void;
}

/** How long a sign-in may take before it counts as an outage, and how soon a dead link is noticed, in milliseconds. */
const SIGN_IN = 10_000;
const PING_EVERY = 10_000;
/** How long an answer may take when the device says that it has no network, in milliseconds. */
const PROOF = 2_000;

export class Link {
  readonly #terms: LinkTerms;
  readonly #events: LinkEvents;
  readonly #session: Session;
  #client: NatsConnection | undefined;
  #state: LinkState = 'closed';
  #url = '';
  #closing = new AbortController();
  #waiting = new AbortController();
  #attempts = 0;
  #isProving = false;

  constructor(terms: LinkTerms, events: LinkEvents) {
    this.#terms = terms;
    this.#events = events;
    this.#session = new Session(terms.speaker, terms.server, terms.now);
  }

  get state(): LinkState {
    return this.#state;
  }

  /** The client, while it is connected. */
  get client(): NatsConnection | undefined {
    return this.#state === 'live' ? this.#client : undefined;
  }

  open(): void {
    this.#closing = new AbortController();
    void this.#run(this.#closing.signal);
  }

  /** Does not wait for the next attempt, and measures anew whether a link that seems to live does. */
  async retry(): Promise<void> {
    this.#attempts = 0;
    this.#waiting.abort();
    if (this.#state !== 'live') await this.#client?.close();
  }

  /** Asks whether it is still there, and makes it anew where no answer comes. */
  async prove(): Promise<void> {
    const { client } = this;
    if (!client || this.#isProving) return;
    this.#isProving = true;
    const answered = new AbortController();
    const answer = client.flush().then(
      () => answered.abort(),
      () => undefined,
    );
    await Promise.race([answer, pause(PROOF, answered.signal)]);
    this.#isProving = false;
    if (!answered.signal.aborted && this.client === client) await client.reconnect().catch(() => undefined);
  }

  /** Signs in again, as when rights have changed or a session was taken back. */
  async again(): Promise<void> {
    this.#session.forget();
    this.#attempts = 0;
    this.#waiting.abort();
    await this.#client?.close();
  }

  /** The round trip in milliseconds. */
  async measure(): Promise<number> {
    const begun = performance.now();
    await this.client?.flush();
    return performance.now() - begun;
  }

  /** Waits for no sign-in that is under way: nobody may answer it, and nothing comes of it any more. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#waiting.abort();
    this.#session.forget();
    this.#tell('closed');
    await this.#client?.close();
  }

  async #run(closing: AbortSignal): Promise<void> {
    let wasLive = false;
    while (!closing.aborted) {
      // What was refused stays so for who looks on, until it succeeds.
      if (this.#state !== 'refused') this.#tell(wasLive ? 'reconnecting' : 'connecting');
      const client = await this.#connect(closing);
      if (client && !closing.aborted) {
        wasLive = true;
        this.#attempts = 0;
        this.#client = client;
        this.#tell('live');
        this.#events.opened(client);
        await this.#watch(client);
      }
      // Closed before another one is made.
      await client?.close();
      this.#client = undefined;
      if (closing.aborted) break;
      this.#waiting = new AbortController();
      await pause(delay(this.#attempts++), this.#waiting.signal);
    }
    // Of a session that was being signed meanwhile.
    this.#session.forget();
  }

  async #connect(closing: AbortSignal): Promise<NatsConnection | undefined> {
    const { urls, speaker } = this.#terms;
    this.#url = urls[this.#attempts % urls.length] ?? '';
    try {
      const { wsconnect } = await import('@nats-io/nats-core');
      await this.#session.renew();
      if (closing.aborted) return undefined;
      return await wsconnect({
        wsFactory: async (url) => ({ socket: this.#socket(url, closing), encrypted: url.startsWith('wss:') }),
        servers: this.#url,
        name: 'kez-web',
        inboxPrefix: subjects.inboxPrefix(hexOf(speaker.primary), hexOf(speaker.signer.primary)),
        authenticator: (nonce) => this.#session.answer(nonce),
        ignoreAuthErrorAbort: true,
        ignoreClusterUpdates: true,
        maxReconnectAttempts: -1,
        reconnectDelayHandler: () => delay(this.#attempts++),
        pingInterval: PING_EVERY,
        maxPingOut: 2,
        timeout: SIGN_IN,
        noAsyncTraces: true,
      });
    } catch (error) {
      if (isRefusal(error)) this.#tell('refused');
      return undefined;
    }
  }

  /** Follows what the client says of itself until it is closed. */
  async #watch(client: NatsConnection): Promise<void> {
    for await (const status of client.status()) this.#note(status);
    await client.closed();
  }

  #note(status: Status): void {
    switch (status.type) {
      case 'forceReconnect':
      case 'disconnect':
      case 'staleConnection':
        // The session may have ended while the computer slept.
        void this.#session.renew().catch(() => undefined);
        if (this.#state === 'live') this.#tell('reconnecting');
        break;
      case 'reconnect':
        this.#attempts = 0;
        this.#tell('live');
        this.#events.disturbed();
        break;
      case 'slowConsumer':
        this.#events.disturbed();
        break;
      case 'error':
        if (isRefusal(status.error)) this.#tell('refused');
        break;
    }
  }

  /** A socket that is closed when nobody wants it any more, also while it is being opened; what a client has is the client's to close. */
  #socket(url: string, closing: AbortSignal): WebSocket {
    const socket = new WebSocket(url);
    const close = () => {
      if (!this.#client || socket.readyState === WebSocket.CONNECTING) socket.close();
    };
    closing.addEventListener('abort', close);
    socket.addEventListener('close', () => closing.removeEventListener('abort', close));
    return socket;
  }

  #tell(state: LinkState): void {
    const isNews = state !== this.#state && (state === 'closed' || !this.#closing.signal.aborted);
    if (!isNews) return;
    this.#state = state;
    this.#events.changed(state, this.#url);
  }
}

/** A session that has ended by itself is none: the next sign-in has a new one. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.name === 'AuthorizationError';
}
