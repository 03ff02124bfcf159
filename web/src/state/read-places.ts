// How far I have read, as another of my devices tells it: a receipt to myself names what was read there.
import type { KeptChat, KeptMessage } from '../storage/kept.ts';
import type { Mailbox } from '../storage/mailbox.ts';

export class ReadPlaces {
  readonly #mailbox: Mailbox;
  readonly #ids = new Set<string>();

  constructor(mailbox: Mailbox) {
    this.#mailbox = mailbox;
  }

  /** These messages were read elsewhere, and with each of them what lies before it in its chat. */
  read(ids: readonly string[]): void {
    for (const id of ids) this.#ids.add(id);
  }

  /**
   * The chats in which there is less to read now; `chat` knows those that are about to change, and `added` are the messages that
   * are about to be written, in order. A message that is not here was refused, or removed: my device had it from the same mailbox.
   */
  async change(
    added: readonly KeptMessage[],
    chat: (peer: string) => Promise<KeptChat>,
  ): Promise<readonly KeptChat[]> {
    if (this.#ids.size === 0) return [];
    const [kept, adding] = [await this.#mailbox.byIds([...this.#ids]), await this.#placed(added)];
    const reached = new Map<string, number>();
    for (const { id, peer, place, isMine } of [...kept, ...adding])
      if (!isMine && this.#ids.has(id)) reached.set(peer, Math.max(place, reached.get(peer) ?? 0));
    const chats = [];
    for (const [peer, readPlace] of reached) {
      const before = await chat(peer);
      if (readPlace <= before.readPlace) continue;
      const after = await this.#mailbox.from(peer, readPlace + 1);
      const left = [...after, ...adding].filter(
        (message) => message.peer === peer && !message.isMine && message.place > readPlace,
      );
      chats.push({ ...before, readPlace, unread: left.length });
    }
    return chats;
  }

  /** With the places that they will have: behind what is here. */
  async #placed(added: readonly KeptMessage[]): Promise<readonly KeptMessage[]> {
    const ends = new Map<string, number>();
    const placed = [];
    for (const message of added) {
      const { peer } = message;
      const end = ends.get(peer) ?? (await this.#mailbox.page(peer, undefined, 1)).at(-1)?.place ?? 0;
      ends.set(peer, end + 1);
      placed.push({ ...message, place: end + 1 });
    }
    return placed;
  }
}
