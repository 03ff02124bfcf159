// A look into the mailbox of an account: what has come since a page took something in, as far as it can be told.
import { Chain } from '../crypto/chain.ts';
import { fromLines } from '../crypto/bundle.ts';
import { parseHandle } from '../crypto/handle.ts';
import { isObject } from '../crypto/json.ts';
import { OpeningKey } from '../crypto/keys.ts';
import type { Body, Message } from '../crypto/message.ts';
import { hexOf, parseEd25519, type Ed25519Primary } from '../crypto/primary.ts';
import { open, sealedFromValue } from '../crypto/sealed.ts';
import { Calls } from '../nats/calls.ts';
import { BY_PRIMARY, FETCH, limits, paths, type Stored } from '../nats/contract.ts';
import { Http } from '../nats/http.ts';
import type { WakeRecord } from '../storage/wakes.ts';
import { Broker } from './broker.ts';

/** A message that a person should hear of. */
export interface Letter {
  seq: number;
  id: string;
  peer: Ed25519Primary;
  /** null for a kind that this version does not know. */
  text: string | null;
}

/** What was found; `blind`: nobody could look. */
export type Sight = { kind: 'blind' } | Seen;

export interface Seen {
  kind: 'seen';
  /** How far the mailbox was read, as a sequence. */
  last: number;
  /** Whether there is something that could not be opened, or lies further on than was read, of which nobody was told. */
  hasSealed: boolean;
  /** Whether all that waits was read. */
  isWhole: boolean;
  letters: Letter[];
  /** Whether all that there was to hear of has been read on another device. */
  isReadElsewhere: boolean;
}

/** Pages of mail that are read at most from one place on. */
const PAGES = 4;
const AT_ONCE = 32;
/** Kinds that are nothing to hear of, by the names that they have on the wire. */
const QUIET: ReadonlySet<string> = new Set(['receipt', 'picture_key']);
/** A longer chain is left to the page, which has time: its owner's devices are nobody here. */
const MAX_EVENTS = 500;

export interface LookTerms {
  /** Milliseconds. */
  now: number;
  /** What is not done when it comes is not done at all. */
  signal: AbortSignal;
  /** Of the pages, where sigchains are read. */
  origin: string;
}

export class Look {
  readonly #record: WakeRecord;
  readonly #terms: LookTerms;
  readonly #chains = new Map<string, Promise<Chain>>();
  /** The same message sealed twice is one. */
  readonly #ids = new Set<string>();
  /** What my own receipts say that I have read on another device. */
  readonly #read = new Set<string>();
  #broker: Broker | undefined;

  constructor(record: WakeRecord, terms: LookTerms) {
    this.#record = record;
    this.#terms = terms;
  }

  async see(): Promise<Sight> {
    const { credential, primary, opening, told, unread } = this.#record;
    if (!credential || credential.expiresAt <= this.#terms.now) return { kind: 'blind' };
    const me = parseEd25519(primary);
    this.#broker = await Broker.open(credential, hexOf(me), this.#terms.signal);
    const { stored, hasMore, isWhole } = await this.#fetch();
    const last = stored.at(-1)?.seq ?? this.#record.since;
    if (!opening || opening.until <= this.#terms.now) {
      const hasSealed = hasMore || last > told;
      return { kind: 'seen', last, hasSealed, isWhole, letters: [], isReadElsewhere: false };
    }
    const key = new OpeningKey(me, opening.pair);
    const found: (Letter | 'quiet' | 'hostile')[] = [];
    for (let at = 0; at < stored.length; at += AT_ONCE)
      found.push(...(await Promise.all(stored.slice(at, at + AT_ONCE).map((one) => this.#open(one, key)))));
    const hasSealed = hasMore || stored.some(({ seq }, at) => found[at] === 'hostile' && seq > told);
    const came = found.filter((one) => typeof one === 'object');
    const letters = came.filter(({ id }) => !this.#read.has(id));
    // What was told of without being opened may be unread still, and so may what a page took in.
    const isSure = isWhole && !found.includes('hostile') && unread === 0;
    const isReadElsewhere = isSure && came.length > 0 && letters.length === 0;
    return { kind: 'seen', last, hasSealed, isWhole, letters, isReadElsewhere };
  }

  /** The handle of somebody, as the server has it; none for whom it does not know. */
  async handleOf(peer: Ed25519Primary): Promise<string | undefined> {
    try {
      const record = await this.#calls().call(BY_PRIMARY, { primary: peer });
      const isTheirs = record.primary === peer && record.fqhn === `${record.handle}@${this.#record.server}`;
      return isTheirs ? parseHandle(record.handle) : undefined;
    } catch {
      return undefined;
    }
  }

  close(): void {
    this.#broker?.close();
  }

  /** What a page has not taken in; where that has no end and somebody was told of all of it, what comes behind that, too. */
  async #fetch(): Promise<{ stored: Stored[]; hasMore: boolean; isWhole: boolean }> {
    const { since, told } = this.#record;
    const first = await this.#fetchFrom(since);
    const last = first.stored.at(-1)?.seq ?? since;
    if (!first.hasMore || last > told) return { ...first, isWhole: !first.hasMore };
    const next = await this.#fetchFrom(told);
    const isWhole = last === told && !next.hasMore;
    return { stored: [...first.stored, ...next.stored], hasMore: next.hasMore, isWhole };
  }

  async #fetchFrom(since: number): Promise<{ stored: Stored[]; hasMore: boolean }> {
    const stored: Stored[] = [];
    for (let page = 0; page < PAGES; page++) {
      const { messages, more } = await this.#calls().call(FETCH, { since, limit: limits.inbox.maxPage });
      stored.push(...messages);
      const last = messages.at(-1)?.seq;
      if (!more || last === undefined || last <= since) return { stored, hasMore: false };
      since = last;
    }
    return { stored, hasMore: true };
  }

  /**
   * Receipts, pictures' keys and my own notes are nothing to hear of, though a receipt of mine says what I have read; `hostile`
   * is whatever the page would refuse.
   */
  async #open(stored: Stored, key: OpeningKey): Promise<Letter | 'quiet' | 'hostile'> {
    const { seq, envelope } = stored;
    try {
      // Not before the server had it, however far this clock is behind.
      const now = Math.max(this.#terms.now, Date.parse(stored.received_at) || 0);
      const message = await open(sealedFromValue(envelope), key, Math.floor(now / 1000));
      if (message.primary === key.primary) return await this.#hearMyself(message);
      const { id, primary, body } = message;
      if (!isLetter(body)) return 'quiet';
      if (!(await this.#isTheirs(message))) return 'hostile';
      if (this.#ids.has(id)) return 'quiet';
      this.#ids.add(id);
      return { seq, id, peer: primary, text: body.kind === 'text' ? body.text : null };
    } catch {
      return 'hostile';
    }
  }

  /** A device of mine may say what I have read there; whoever only says that they are one says nothing. */
  async #hearMyself(message: Message): Promise<'quiet'> {
    const { body } = message;
    const isReading = body.kind === 'receipt' && body.status === 'read';
    if (isReading && (await this.#isTheirs(message).catch(() => false)))
      for (const id of body.of) this.#read.add(id);
    return 'quiet';
  }

  /** Anybody can sign as a device: only the sender's own chain makes it one. */
  async #isTheirs({ primary, device }: Message): Promise<boolean> {
    return device === undefined || (await this.#chain(primary)).hasDevice(device);
  }

  /** It is public, and asked for as by anybody. */
  #chain(primary: Ed25519Primary): Promise<Chain> {
    const known = this.#chains.get(primary) ?? this.#readChain(primary);
    this.#chains.set(primary, known);
    return known;
  }

  async #readChain(primary: Ed25519Primary): Promise<Chain> {
    const { text } = await new Http(this.#terms.origin).text(paths.sigchain('ed25519', hexOf(primary)));
    const events = fromLines(text);
    if (events.length > MAX_EVENTS) throw new Error('a chain that is too long to be followed here');
    const chain = new Chain(primary);
    for (const event of events) await chain.appendDownloaded(event);
    return chain;
  }

  #calls(): Calls {
    const { primary, credential } = this.#record;
    return new Calls(() => this.#broker, hexOf(parseEd25519(primary)), credential?.device ?? '');
  }
}

function isLetter(body: Body): boolean {
  if (body.kind === 'text') return true;
  const kind = body.kind === 'unknown' && isObject(body.value) ? body.value['kind'] : undefined;
  return typeof kind === 'string' && !QUIET.has(kind);
}
