// Mail that comes: opened, its devices vouched for, and made into what is kept — each message once, receipts applied to what
// I have written to that very person (and my own to what I have read elsewhere), and the cursor moved in the same transaction.
import type { Message, ReceiptStatus } from '../crypto/message.ts';
import type { Ed25519Primary } from '../crypto/primary.ts';
import type { Stored } from '../nats/live.ts';
import type { Change, KeptChat, KeptMessage, KeptOutgoing } from '../storage/kept.ts';
import type { Mailbox } from '../storage/mailbox.ts';
import type { Opened, Tasks } from '../workers/tasks.ts';
import { allAside, asideNote, setAside } from './aside.ts';
import { EarlyReceipts } from './early-receipts.ts';
import { newId, write } from './letters.ts';
import type { Mailroom } from './mailroom.ts';
import { withKeys, type PictureKey } from './picture-notes.ts';
import { ReadPlaces } from './read-places.ts';
import { codeOf, Refusal } from './refusal.ts';
import { emptyChat, withMessage, withUpdate } from './summary.ts';

/** Messages that are opened and written at a time. */
const BATCH = 100;
/** Ids of a receipt that count: all that one of our own names. Looking for more would keep every tab waiting. */
const RECEIPT_IDS = 500;
/** How often all mail waits for a sigchain that fails in a way of its own. */
const TRIES = 3;
/** What has nothing to do with whose sigchain it is: it passes, and nothing is lost by waiting. */
const HOLDS: ReadonlySet<string> = new Set([
  'unavailable',
  'rate_limited',
  'unauthorized',
  'locked',
  'storage_full',
  'storage_unavailable',
]);

/** Names of notes. */
export const CURSOR = 'cursor';
export const REFUSED = 'refused';

/** The code of whatever was not decided, for which there is another look. */
const LATER = 'long_chain';

type Judged = { message: Message } | { code: string };

export interface IncomingTerms {
  mailroom: Mailroom;
  work: Pick<Tasks, 'open'>;
  /** Whether the sender's sigchain says that the device is theirs; throws while it cannot be asked, or takes long to follow. */
  vouch(primary: Ed25519Primary, device: Ed25519Primary): Promise<boolean>;
  /** Seconds, by the server's clock as far as it is known. */
  now(): number;
}

export class Incoming {
  readonly #terms: IncomingTerms;
  /** The batch that was given back for somebody's sigchain, and how often. */
  #failed = { cursor: 0, times: 0 };
  #resuming: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(terms: IncomingTerms) {
    this.#terms = terms;
  }

  /** Goes on with what was set aside, in turn. */
  resume(): void {
    this.#resuming = this.#resuming.then(() => this.#resumeNow()).catch(() => undefined);
  }

  /** From now on nothing is opened, asked about or kept; when this returns, nothing that was set aside is looked at any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#resuming;
  }

  /** Takes messages in, in order. When this returns they are kept; what it throws is tried again with the same messages. */
  async take(stored: readonly Stored[]): Promise<void> {
    // Offered again, it begins with what is kept already.
    const kept = await readUpTo(this.#terms.mailroom.account.mailbox);
    const left = stored.filter(({ seq }) => seq > kept);
    for (let at = 0; at < left.length; at += BATCH) await this.#takeBatch(left.slice(at, at + BATCH));
  }

  async #takeBatch(stored: readonly Stored[]): Promise<void> {
    const cursor = stored.at(-1)?.seq ?? 0;
    if (this.#failed.cursor !== cursor) this.#failed = { cursor, times: 0 };
    const judged = await this.#judgeAll(await this.#open(stored));
    await this.#keep(async (mailbox) => {
      // Another tab may have read as far while this one was opening.
      if ((await readUpTo(mailbox)) >= cursor) return undefined;
      const aside = await setAside(
        mailbox,
        stored.filter((_, at) => isLater(judged[at])),
      );
      const isKept = ({ seq }: Stored) => asideNote(seq) in aside;
      const now = judged.filter((one, at) => !isLater(one) || !isKept(stored[at] as Stored));
      return { judged: now, notes: { [CURSOR]: cursor, ...aside } };
    });
    if (judged.some(isLater)) this.resume();
  }

  async #open(stored: readonly Stored[]): Promise<Opened[]> {
    this.#mustGoOn();
    const { mailroom, work, now } = this.#terms;
    const envelopes = stored.map(({ envelope }) => envelope);
    return work.open(envelopes, mailroom.account.opener, timeOf(stored, now()));
  }

  /** Writes what these messages come to, and with it these notes. */
  async #keep(
    decide: (
      mailbox: Mailbox,
    ) => Promise<{ judged: readonly Judged[]; notes: Record<string, unknown> } | undefined>,
  ): Promise<void> {
    const { mailroom, now } = this.#terms;
    let counts: Record<string, number> | undefined;
    let faces: string[] = [];
    await mailroom.change(async (mailbox) => {
      // What a chain was said to be while the account was locked counts for nothing.
      this.#mustGoOn();
      const decided = await decide(mailbox);
      if (!decided) return undefined;
      const batch = new Batch(mailbox, now() * 1000);
      for (const one of decided.judged) {
        if ('message' in one) await batch.add(one.message, mailroom.account.primary);
        else batch.refuse(one.code);
      }
      counts = await batch.refusals();
      faces = [...batch.keys.keys()];
      const refused = counts ? { [REFUSED]: counts } : {};
      const notes = { ...decided.notes, ...refused, ...(await batch.notes()) };
      return { ...(await batch.change()), send: await this.#receipts(batch.delivered), notes };
    });
    for (const primary of faces) mailroom.tell({ kind: 'face', primary });
    if (counts) mailroom.tell({ kind: 'refused', counts });
  }

  /** Goes round what was set aside as long as something comes of it. */
  async #resumeNow(): Promise<void> {
    const { mailbox } = this.#terms.mailroom.account;
    for (let left = await allAside(mailbox); left.length > 0;) {
      const next: Stored[] = [];
      for (const stored of left) if (!this.#isStopped && (await this.#goesOn(stored))) next.push(stored);
      left = next;
    }
  }

  /** Looks at one that was set aside; whether another look brings more. What fails waits for the next connection. */
  async #goesOn(stored: Stored): Promise<boolean> {
    try {
      const [opened] = await this.#open([stored]);
      const judged = opened && (await this.#judge(opened, true));
      if (!judged || isLater(judged)) return judged !== undefined;
      const name = asideNote(stored.seq);
      await this.#keep(async (mailbox) =>
        (await mailbox.note(name)) ? { judged: [judged], notes: { [name]: undefined } } : undefined,
      );
    } catch {
      // It is still there.
    }
    return false;
  }

  async #judgeAll(opened: readonly Opened[]): Promise<Judged[]> {
    const isPatient = this.#failed.times < TRIES;
    try {
      return await Promise.all(opened.map((one) => this.#judge(one, isPatient)));
    } catch (error) {
      if (!HOLDS.has(codeOf(error))) this.#failed.times++;
      throw error;
    }
  }

  /** Anybody can sign as a device: only the sender's own chain makes it one. */
  async #judge(opened: Opened, isPatient: boolean): Promise<Judged> {
    if (!('message' in opened) || opened.message.device === undefined) return opened;
    this.#mustGoOn();
    try {
      const isTheirs = await this.#terms.vouch(opened.message.primary, opened.message.device);
      return isTheirs ? opened : { code: 'unknown_device' };
    } catch (error) {
      if (codeOf(error) === LATER) return { code: LATER };
      if (isPatient || HOLDS.has(codeOf(error))) throw error;
      // One person's sigchain does not stop the mail of all others.
      return { code: codeOf(error) };
    }
  }

  #mustGoOn(): void {
    if (this.#isStopped) throw new Refusal('locked');
  }

  async #receipts(delivered: ReadonlyMap<string, string[]>): Promise<KeptOutgoing[]> {
    const { account } = this.#terms.mailroom;
    // Without a key that signs, the other side learns of it later: from `read`.
    if (!account.speaker) return [];
    const at = this.#terms.now() * 1000;
    const receipts = [...delivered].map(([peer, of]) =>
      write(account, { id: newId(), peer, at, body: { kind: 'receipt', status: 'delivered', of } }),
    );
    return Promise.all(receipts);
  }
}

/** The last sequence that is kept, by whichever tab. */
async function readUpTo(mailbox: Mailbox): Promise<number> {
  return ((await mailbox.note(CURSOR)) as number | undefined) ?? 0;
}

/**
 * When the messages are opened: not before the server had them. With a clock that is behind, all that comes would seem to be
 * from a time to come, and be refused for good.
 */
function timeOf(stored: readonly Stored[], now: number): number {
  const times = stored.map(({ receivedAt }) => Date.parse(receivedAt) / 1000);
  return Math.max(now, ...times.filter((time) => !Number.isNaN(time)));
}

function isLater(judged: Judged | undefined): boolean {
  return judged !== undefined && 'code' in judged && judged.code === LATER;
}

/** What a batch of messages comes to. */
class Batch {
  /** Ids to acknowledge, by who sent them. */
  readonly delivered = new Map<string, string[]>();
  /** Keys of pictures, by who sent them: they are good for pictures of that very person only. */
  readonly keys = new Map<string, PictureKey[]>();
  readonly #mailbox: Mailbox;
  readonly #now: number;
  readonly #added = new Map<string, KeptMessage>();
  readonly #updated = new Map<string, KeptMessage>();
  readonly #chats = new Map<string, KeptChat>();
  readonly #refused: string[] = [];
  readonly #early: EarlyReceipts;
  readonly #places: ReadPlaces;

  constructor(mailbox: Mailbox, now: number) {
    this.#mailbox = mailbox;
    this.#early = new EarlyReceipts(mailbox);
    this.#places = new ReadPlaces(mailbox);
    this.#now = now;
  }

  async add(message: Message, me: string): Promise<void> {
    const { body, primary } = message;
    if (body.kind === 'receipt') {
      // From myself it names what I have read elsewhere; only I can say that.
      if (primary !== me) await this.#receipt(primary, body.status, body.of);
      else if (body.status === 'read') this.#places.read(body.of);
      return;
    }
    if (body.kind === 'picture_key') {
      if (primary !== me) this.keys.set(primary, [...(this.keys.get(primary) ?? []), body]);
      return;
    }
    const isMine = primary === me;
    // In what others write it means nothing: nobody else says what I have sent.
    const copied = isMine && body.kind === 'text' ? body.copyOf : undefined;
    const { id, to: peer } = copied ?? { id: message.id, to: primary };
    const known = await this.#find(id);
    if (known) {
      // A note to myself has come back.
      if (!copied && isMine && known.isMine && known.peer === me) await this.#raise(known, 'read');
      return;
    }
    const kept: KeptMessage = {
      id,
      peer,
      place: 0,
      isMine,
      at: message.sentAt * 1000,
      text: body.kind === 'text' ? body.text : null,
      ...(body.kind === 'unknown' ? { body: body.value } : {}),
      status: copied ? ((await this.#early.take(peer, id)) ?? 'sent') : isMine ? 'read' : null,
    };
    this.#added.set(id, kept);
    this.#chats.set(peer, withMessage(await this.#chat(peer), kept));
    if (!isMine) this.delivered.set(primary, [...(this.delivered.get(primary) ?? []), kept.id]);
  }

  refuse(code: string): void {
    this.#refused.push(code);
  }

  /** How many were refused so far, by code; undefined if none was now. */
  async refusals(): Promise<Record<string, number> | undefined> {
    if (this.#refused.length === 0) return undefined;
    const counts = { ...((await this.#mailbox.note(REFUSED)) as Record<string, number> | undefined) };
    for (const code of this.#refused) counts[code] = (counts[code] ?? 0) + 1;
    return counts;
  }

  /** The keys that came, beside those that are here, and receipts that still wait for their message. */
  async notes(): Promise<Record<string, unknown>> {
    const keys = [...this.keys].map(([primary, keys]) => withKeys(this.#mailbox, primary, keys));
    const notes = await Promise.all([...keys, this.#early.notes()]);
    return Object.assign({}, ...notes) as Record<string, unknown>;
  }

  async change(): Promise<Change> {
    const add = [...this.#added.values()];
    const read = await this.#places.change(add, (peer) => this.#chat(peer));
    for (const chat of read) this.#chats.set(chat.peer, chat);
    return {
      add,
      update: [...this.#updated.values()],
      chats: [...this.#chats.values()],
    };
  }

  /** Only what I wrote to this very person, and only forwards: a receipt that comes late or again does nothing. */
  async #receipt(from: string, status: ReceiptStatus, of: readonly string[]): Promise<void> {
    const ids = of.slice(0, RECEIPT_IDS);
    const kept = new Map((await this.#mailbox.byIds(ids)).map((message) => [message.id, message]));
    for (const id of ids) {
      const message = this.#added.get(id) ?? this.#updated.get(id) ?? kept.get(id);
      if (!message) await this.#early.keep(from, id, status);
      else if (message.isMine && message.peer === from) await this.#raise(message, status);
    }
  }

  async #raise(message: KeptMessage, status: ReceiptStatus): Promise<void> {
    if (message.status === 'read' || message.status === status) return;
    const { failure: _, ...rest } = message;
    const raised = { ...rest, status };
    const holder = this.#added.has(message.id) ? this.#added : this.#updated;
    holder.set(message.id, raised);
    this.#chats.set(message.peer, withUpdate(await this.#chat(message.peer), raised));
  }

  async #find(id: string): Promise<KeptMessage | undefined> {
    return this.#added.get(id) ?? this.#updated.get(id) ?? (await this.#mailbox.byIds([id]))[0];
  }

  async #chat(peer: string): Promise<KeptChat> {
    return this.#chats.get(peer) ?? (await this.#mailbox.chat(peer)) ?? emptyChat(peer, this.#now);
  }
}
