// What waits to be sent: the very same sealed bytes again and again until they are stored, one after the other for each
// person, so that their order stays. Only one tab sends.
import type { Refusal } from '../nats/refusal.ts';
import { delay, pause } from '../nats/delay.ts';
import type { Change, KeptMessage, KeptOutgoing } from '../storage/kept.ts';
import type { Mailbox } from '../storage/mailbox.ts';
import type { Mailroom } from './mailroom.ts';
import { codeOf } from './refusal.ts';
import { withUpdate } from './summary.ts';

/** People who are sent to at a time. */
const AT_ONCE = 4;

/** What will not go away by waiting: the message is shown as failed, with the code. */
const FINAL = new Set([
  'unknown_recipient',
  'mailbox_full',
  'too_large',
  'malformed',
  'unsupported_key',
  'unsupported_version',
  'key_rotated',
]);

export interface OutboxTerms {
  mailroom: Mailroom;
  send(outgoing: KeptOutgoing): Promise<void>;
  /** Whether this tab sends, and is connected. */
  maySend(): boolean;
}

/** The name of the note that keeps a failed message's sealed bytes. */
export function failedNote(mailbox: Mailbox, id: string): Promise<string> {
  return mailbox.noteAbout('failed', id);
}

export class Outbox {
  readonly #terms: OutboxTerms;
  readonly #stopped = new AbortController();
  #isRunning = false;
  #wanted = false;

  constructor(terms: OutboxTerms) {
    this.#terms = terms;
  }

  /** Something waits, or may be sent now. */
  kick(): void {
    this.#wanted = true;
    if (!this.#isRunning) void this.#run();
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    this.#isRunning = true;
    try {
      for (let failures = 0; this.#wanted && !signal.aborted && this.#terms.maySend();) {
        this.#wanted = false;
        const wait = await this.#round();
        if (wait === undefined) continue;
        this.#wanted = true;
        await pause(Math.max(wait * 1000, delay(failures++)), signal);
      }
    } finally {
      this.#isRunning = false;
    }
  }

  /** Sends all that waits; the seconds to wait before the rest is tried again, if something could not be sent. */
  async #round(): Promise<number | undefined> {
    const lines = new Map<string, KeptOutgoing[]>();
    for (const outgoing of await this.#terms.mailroom.account.mailbox.outbox()) {
      lines.set(outgoing.peer, [...(lines.get(outgoing.peer) ?? []), outgoing]);
    }
    const waiting = [...lines.values()];
    let wait: number | undefined;
    const worker = async () => {
      for (let line = waiting.shift(); line; line = waiting.shift()) {
        const seconds = await this.#line(line);
        if (seconds !== undefined) wait = Math.max(wait ?? 0, seconds);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return wait;
  }

  /** Sends to one person, in order. */
  async #line(line: readonly KeptOutgoing[]): Promise<number | undefined> {
    for (const outgoing of line) {
      if (this.#stopped.signal.aborted) return undefined;
      try {
        await this.#terms.send(outgoing);
        await this.#settle(outgoing, undefined);
      } catch (error) {
        const code = codeOf(error);
        if (!FINAL.has(code)) return Math.min((error as Partial<Refusal>).retryAfter ?? 0, 60);
        await this.#settle(outgoing, code);
      }
    }
    return undefined;
  }

  /** It was stored, or never will be. */
  async #settle(outgoing: KeptOutgoing, failure: string | undefined): Promise<void> {
    await this.#terms.mailroom.change(async (mailbox) => {
      const sent = [outgoing.place];
      const message = outgoing.kind === 'text' ? (await mailbox.byIds([outgoing.id]))[0] : undefined;
      if (!message) return { sent };
      const notes = failure ? { [await failedNote(mailbox, outgoing.id)]: { ...outgoing, place: 0 } } : {};
      return { ...(await settled(mailbox, message, failure)), sent, notes };
    }, true);
  }
}

async function settled(mailbox: Mailbox, message: KeptMessage, failure: string | undefined): Promise<Change> {
  // A receipt may have been faster than the server's answer.
  if (message.status !== 'sending') return {};
  const { failure: _, ...rest } = message;
  const update: KeptMessage = failure ? { ...rest, status: 'failed', failure } : { ...rest, status: 'sent' };
  const chat = await mailbox.chat(message.peer);
  return { update: [update], chats: chat ? [withUpdate(chat, update)] : [] };
}
