// Receipts that come before what they are about: somebody may answer another of my devices faster than its copy is here, and
// that device may have gone offline between the two. They are kept until the copy comes.
import type { ReceiptStatus } from '../crypto/message.ts';
import type { Mailbox } from '../storage/mailbox.ts';

/** Receipts that are kept of one person, the newest: what is of no use to anybody must not fill the disk. */
const KEPT = 200;

export class EarlyReceipts {
  readonly #mailbox: Mailbox;
  /** By who sent them: what they say, by the message's id. */
  readonly #changed = new Map<string, Map<string, ReceiptStatus>>();

  constructor(mailbox: Mailbox) {
    this.#mailbox = mailbox;
  }

  async keep(from: string, id: string, status: ReceiptStatus): Promise<void> {
    const receipts = await this.#of(from);
    if (receipts.get(id) === 'read') return;
    receipts.delete(id);
    receipts.set(id, status);
    this.#changed.set(from, receipts);
  }

  /** What this person has said of the message already; from now on the message says it. */
  async take(from: string, id: string): Promise<ReceiptStatus | undefined> {
    const receipts = await this.#of(from);
    const status = receipts.get(id);
    if (receipts.delete(id)) this.#changed.set(from, receipts);
    return status;
  }

  /** The notes as they are now. */
  async notes(): Promise<Record<string, unknown>> {
    const notes = [...this.#changed].map(async ([from, receipts]) => {
      const kept = [...receipts].slice(-KEPT);
      return [await earlyNote(this.#mailbox, from), kept.length > 0 ? kept : undefined] as const;
    });
    return Object.fromEntries(await Promise.all(notes));
  }

  async #of(from: string): Promise<Map<string, ReceiptStatus>> {
    const changed = this.#changed.get(from);
    if (changed) return changed;
    const kept = (await this.#mailbox.note(await earlyNote(this.#mailbox, from))) as
      [string, ReceiptStatus][] | undefined;
    return new Map(kept);
  }
}

function earlyNote(mailbox: Mailbox, from: string): Promise<string> {
  return mailbox.noteAbout('early-receipts', from);
}
