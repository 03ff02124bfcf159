// Mail in order, exactly once: pure decisions on what comes live, what is fetched, and when to fetch. The live feed may
// drop, repeat and reorder; a fetch is the truth. The same rules as `services/kez/src/client/order.rs`.

/**
 * A fetch that does not show what the live feed has announced may come from a replica that lags behind, so it is made
 * again; after so many, what is missing was removed from the mailbox in the meantime.
 */
const LOOKS = 5;

/** A fetch to be made. */
export interface Look {
  since: number;
  /** How often it was made without success. */
  again: number;
}

/** What this mailbox's reader holds, and what it waits for. */
export class Order<Item> {
  /** Everything up to this sequence has been handed over or lies ready. */
  #held: number;
  #ready: { seq: number; item: Item }[] = [];
  /** Live messages behind a gap, by sequence, each with the sequence before it. */
  readonly #waiting = new Map<number, { previous: number; item: Item }>();
  /** A fetch is to be made, and was made so often without success. */
  #look: number | undefined = 0;

  /** Begins after a sequence, with a fetch. */
  constructor(since: number) {
    this.#held = since;
  }

  /** Everything that may be handed over now, in order. */
  take(): { seq: number; item: Item }[] {
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  /** The fetch to make before anything else is read. */
  look(): Look | undefined {
    return this.#look === undefined ? undefined : { since: this.#held, again: this.#look };
  }

  /** Something may have been missed. */
  disturb(): void {
    this.#look ??= 0;
  }

  /** A live message, and the sequence of the one before it in this mailbox. */
  live(seq: number, previous: number, item: Item): void {
    if (seq <= this.#held) return;
    this.#waiting.set(seq, { previous, item });
    if (this.#release() !== undefined) this.disturb();
  }

  /** What a fetch found, and whether there is more. */
  page(items: readonly { seq: number; item: Item }[], more: boolean): void {
    const again = this.#look ?? 0;
    this.#look = undefined;
    const before = this.#held;
    for (const { seq, item } of items) this.#handOver(seq, item);
    const progress = this.#held > before;
    if (more && progress) {
      this.#look = 0;
      return;
    }
    for (let behind = this.#release(); behind !== undefined; behind = this.#release()) {
      if (again + 1 < LOOKS || progress) {
        this.#look = progress ? 0 : again + 1;
        return;
      }
      const waited = this.#waiting.get(behind);
      this.#waiting.delete(behind);
      if (waited) this.#handOver(behind, waited.item);
    }
  }

  /** Hands over what has waited and follows what is held; the first sequence that still stands behind a gap. */
  #release(): number | undefined {
    while (this.#waiting.size > 0) {
      const seq = Math.min(...this.#waiting.keys());
      const waited = this.#waiting.get(seq);
      if (waited && seq > this.#held && waited.previous > this.#held) return seq;
      this.#waiting.delete(seq);
      if (waited) this.#handOver(seq, waited.item);
    }
    return undefined;
  }

  #handOver(seq: number, item: Item): void {
    if (seq <= this.#held) return;
    this.#held = seq;
    this.#ready.push({ seq, item });
  }
}
