// What waits to be sent: the very same sealed bytes again and again until they are stored, unless they have become too old
// meanwhile; one after the other for each person, so that their order stays. Only one tab sends.
import type { Refusal } from '../nats/refusal.ts';
import { delay, pause } from '../nats/delay.ts';
import type { Change, KeptMessage, KeptOutgoing } from '../storage/kept.ts';
import type { Mailbox } from '../storage/mailbox.ts';
import { stillGood } from './letters.ts';
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
  /** What my other devices get of a message that was sent. */
  copy(message: KeptMessage): Promise<KeptOutgoing | undefined>;
  /** Whether this tab sends, and is connected. */
  maySend(): boolean;
  /** Milliseconds, by the clock that recipients judge by. */
  now(): number;
}

/** The name of the note that keeps a failed message's sealed bytes. */
export function failedNote(mailbox: Mailbox, id: string): Promise<string> {
  return mailbox.noteAbout('failed', id);
}

export class Outbox {
  readonly #terms: OutboxTerms;
  readonly #stopped = new AbortController();
  #isRunning = false;
  /** What was left by an earlier page is wanted from the beginning. */
  #wanted = true;
  /** All that waits, where that is known without reading it. */
  #posted: readonly KeptOutgoing[] | undefined;

  constructor(terms: OutboxTerms) {
    this.#terms = terms;
  }

  /** Something waits, or may be sent now. */
  kick(posted?: readonly KeptOutgoing[]): void {
    this.#posted = this.#wanted || this.#isRunning ? undefined : posted;
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
        const wait = await this.#round(await this.#waiting());
        if (wait === undefined) continue;
        this.#wanted = true;
        await pause(Math.max(wait * 1000, delay(failures++)), signal);
      }
    } finally {
      this.#isRunning = false;
    }
  }

  async #waiting(): Promise<readonly KeptOutgoing[]> {
    const posted = this.#posted;
    this.#posted = undefined;
    return posted ?? this.#terms.mailroom.account.mailbox.outbox();
  }

  /** Sends all of it; the seconds to wait before the rest is tried again, if something could not be sent. */
  async #round(all: readonly KeptOutgoing[]): Promise<number | undefined> {
    const lines = new Map<string, KeptOutgoing[]>();
    for (const outgoing of all) {
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
    for (const waiting of line) {
      if (this.#stopped.signal.aborted) return undefined;
      const { outgoing = waiting, wait, failure } = await this.#send(waiting);
      if (wait !== undefined) return wait;
      try {
        await this.#settle(outgoing, failure);
      } catch {
        // Storage is full, perhaps. It is sent again and stored once.
        return 0;
      }
    }
    return undefined;
  }

  /** What came of it: the seconds to wait before it is tried again, or the code with which it never will be stored. */
  async #send(waiting: KeptOutgoing): Promise<{ outgoing?: KeptOutgoing; wait?: number; failure?: string }> {
    const { mailroom, send, now } = this.#terms;
    let outgoing: KeptOutgoing | undefined;
    try {
      outgoing = await stillGood(mailroom.account, waiting, now());
      if (!outgoing) return {};
      await send(outgoing);
    } catch (error) {
      const code = codeOf(error);
      if (FINAL.has(code)) return { ...(outgoing ? { outgoing } : {}), failure: code };
      return { wait: Math.min((error as Partial<Refusal>).retryAfter ?? 0, 60) };
    }
    // The server's word is enough: whoever looks at the message need not wait for this browser's disk.
    mailroom.tell({ kind: 'stored', peer: outgoing.peer, id: outgoing.id });
    return { outgoing };
  }

  /** It was stored, or never will be. */
  async #settle(outgoing: KeptOutgoing, failure: string | undefined): Promise<void> {
    await this.#terms.mailroom.change(async (mailbox) => {
      const sent = [outgoing.place];
      const kept = outgoing.kind === 'text' ? (await mailbox.byIds([outgoing.id]))[0] : undefined;
      if (!kept) return { sent };
      // Its time is the one that was signed, for its recipient and for my other devices.
      const message = { ...kept, at: outgoing.at };
      const notes = failure ? { [await failedNote(mailbox, outgoing.id)]: { ...outgoing, place: 0 } } : {};
      // A copy is a little longer than what it is a copy of, and may be too long.
      const copy = failure ? undefined : await this.#terms.copy(message).catch(() => undefined);
      return { ...(await settled(mailbox, message, failure)), sent, notes, send: copy ? [copy] : [] };
    });
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
