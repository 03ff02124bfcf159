// The memory of messages already received, so that none is shown twice (protocol section 8).
import type { MessageId } from './message.ts';

const CAPACITY = 10_000;

/** The ids of the last 10,000 messages, oldest first: a `Set` keeps the order in which they came. */
export class Seen {
  readonly #ids: Set<MessageId>;

  constructor(ids: Iterable<MessageId> = []) {
    this.#ids = new Set(ids);
  }

  /** Whether this id comes for the first time; it is remembered, and the oldest one beyond 10,000 is forgotten. */
  firstTime(id: MessageId): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    if (this.#ids.size > CAPACITY) for (const oldest of this.#ids) return this.#ids.delete(oldest);
    return true;
  }

  has(id: MessageId): boolean {
    return this.#ids.has(id);
  }

  ids(): MessageId[] {
    return [...this.#ids];
  }
}
