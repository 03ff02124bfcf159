// The tabs of one account: one of them reads the mail and sends what waits, all of them hear what has changed.

/** A lock that somebody in some tab holds; released when the work is done, or the tab is closed. */
type Locks = Pick<LockManager, 'request'>;

export class Tabs<News> {
  readonly #name: string;
  readonly #channel: BroadcastChannel;
  readonly #closed = new AbortController();
  readonly #locks: Locks;
  #turn = new AbortController();
  #leads = false;

  constructor(name: string, heard: (news: News) => unknown) {
    this.#name = name;
    this.#locks = globalThis.navigator?.locks ?? locksHere;
    this.#channel = new BroadcastChannel(`kez-${name}`);
    this.#channel.onmessage = ({ data }: MessageEvent<News>) => {
      if (!this.#closed.signal.aborted) heard(data);
    };
  }

  /** Whether this tab reads the mail. */
  get leads(): boolean {
    return this.#leads;
  }

  /**
   * Calls back when it falls to this tab to read the mail: at once, or when the one that did is gone or has given it up. What it
   * is given says when the turn is over.
   */
  lead(begin: (turn: AbortSignal) => void): void {
    const turn = new AbortController();
    this.#turn = turn;
    const { signal } = turn;
    const held = () =>
      new Promise<void>((release) => {
        if (signal.aborted) return release();
        this.#leads = true;
        signal.addEventListener('abort', () => release());
        begin(signal);
      });
    // It ends with an error when this tab stops waiting for its turn.
    this.#locks.request(`kez-lead-${this.#name}`, { signal }, held).catch(() => undefined);
  }

  /** Another tab may read the mail; this one has to ask for its turn again. */
  giveUp(): void {
    this.#leads = false;
    this.#turn.abort();
  }

  /** Does work while no other tab does any that changes what is stored. */
  exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#locks.request(`kez-write-${this.#name}`, work) as Promise<Result>;
  }

  /** Tells the other tabs. */
  tell(news: News): void {
    if (!this.#closed.signal.aborted) this.#channel.postMessage(news);
  }

  close(): void {
    this.giveUp();
    this.#closed.abort();
    this.#channel.close();
  }
}

/** Tells the tabs that have an account open, from one that has not. */
export function tellTabs<News>(name: string, news: News): void {
  const channel = new BroadcastChannel(`kez-${name}`);
  channel.postMessage(news);
  channel.close();
}

/** The same locks where the platform has none (Node): for one page, in their order. */
const queues = new Map<string, Promise<unknown>>();
const locksHere = {
  async request(name: string, ...rest: unknown[]): Promise<unknown> {
    const work = rest.at(-1) as () => Promise<unknown>;
    const { signal } = (rest.length > 1 ? rest[0] : {}) as { signal?: AbortSignal };
    const turn = (queues.get(name) ?? Promise.resolve()).then(() => {
      if (signal?.aborted) throw new DOMException('no longer wanted', 'AbortError');
      return work();
    });
    queues.set(
      name,
      turn.catch(() => undefined),
    );
    return turn;
  },
} as Locks;
