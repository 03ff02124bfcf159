// Sigchains as this reader holds them: fetched, verified, and compared with what was seen of them before.
import { Chain, type ChainState as Held } from '../crypto/chain.ts';
import { canonicalText } from '../crypto/canonical.ts';
import type { Op } from '../crypto/op.ts';
import { parsePrimary, type Ed25519Primary, type Primary } from '../crypto/primary.ts';
import { parseIdentifier, split } from '../crypto/identifier.ts';
import { formatTime } from '../crypto/timestamp.ts';
import { fromLines } from '../crypto/bundle.ts';
import { Verbatim } from '../nats/calls.ts';
import { APPEND, EVENTS, limits, paths, type Head } from '../nats/contract.ts';
import { delay } from '../nats/delay.ts';
import type { Http } from '../nats/http.ts';
import { Refusal } from '../nats/refusal.ts';
import type { Tasks } from '../workers/tasks.ts';
import type { Clock } from './clock.svelte.ts';
import type { Connection } from './connection.svelte.ts';
import { codeOf } from './refusal.ts';
import type { Unlocked } from './unlocked.ts';

export interface Device {
  /** `ed25519:<64 hex>`. */
  device: string;
  name: string;
  addedAt: string;
  /** Whether it is this browser. */
  isThis: boolean;
}

/** What a chain has come to. */
export interface ChainState {
  primary: string;
  length: number;
  /** `sha256:<hex>`; null for an empty chain. */
  head: string | null;
  /** Identifiers that it claims now, with the time of the event. */
  claims: readonly { subject: string; since: string }[];
  devices: readonly Device[];
  successor: string | null;
  /** `rolled_back`: events seen before are gone. `forked`: there are two histories. Otherwise the rule that event `seq` breaks. */
  fault: { code: string; seq: number } | null;
}

/** A chain as it is remembered, events that hold only. */
interface Remembered {
  state: Held;
  /** When what it claims and its devices were added, in seconds. */
  since: Record<string, number>;
}

/**
 * A replica may not have what another one has stored a moment ago: a chain that ends early is looked at so often before the
 * server is said to withhold the rest.
 */
const LOOKS = 4;
/** How often an event is signed anew because another one came first. */
const RACES = 16;
/** Pages that are followed while mail waits, of half a megabyte or a thousand events: nearly all chains are shorter. */
const PAGES = 2;
/** Characters of a device's name that are kept. */
const MAX_NAME = 200;
/** So long a look at a chain answers for those who ask at the same time, in milliseconds. */
const FRESH = 1_000;

export class Chains {
  readonly #connection: Pick<Connection, 'isLive' | 'calls'>;
  readonly #http: Http;
  readonly #work: Pick<Tasks, 'extend'>;
  readonly #clock: Clock;
  #account: Unlocked | undefined;
  readonly #looks = new Map<string, { at: number; look: Promise<Look> }>();

  constructor(
    connection: Pick<Connection, 'isLive' | 'calls'>,
    http: Http,
    work: Pick<Tasks, 'extend'>,
    clock: Clock,
  ) {
    this.#connection = connection;
    this.#http = http;
    this.#work = work;
    this.#clock = clock;
  }

  unlocked(account: Unlocked): void {
    this.#account = account;
  }

  locked(): void {
    this.#account = undefined;
    this.#looks.clear();
  }

  /** Somebody's chain, fetched and verified now. A chain that is not to be trusted comes with its `fault`. */
  async read(primary: string): Promise<ChainState> {
    this.#looks.delete(primary);
    return this.#shown(await this.#look(parsePrimary(primary)));
  }

  /** The devices on somebody's chain as it was when it was read last; nobody is asked. */
  async remembered(primary: Ed25519Primary): Promise<readonly string[]> {
    const { kept } = await this.#remembered(primary);
    return kept?.state.devices.map(([device]) => device) ?? [];
  }

  /** Takes a device off my chain. `needs_passphrase`. */
  async revokeDevice(device: string): Promise<void> {
    await this.append({ op: 'revoke', subject: parseIdentifier(device) });
  }

  /**
   * Whether somebody's chain says that a device is theirs, now; a chain that does not hold vouches for nobody. `long_chain` when
   * it was followed a part of the way, for others wait: asked again, it is followed from there.
   */
  async vouch(primary: Ed25519Primary, device: Ed25519Primary): Promise<boolean> {
    const { remembered, fault } = await this.#look(primary, PAGES);
    return !fault && Chain.from(remembered.state).hasDevice(device);
  }

  /** Signs the event that carries out `op` at the end of my chain and has it stored; again behind another that came first. */
  async append(op: Op): Promise<void> {
    const account = this.#account;
    if (!account) throw new Refusal('locked');
    const key = account.identityKey();
    for (let race = 0; ; race++) {
      this.#looks.delete(account.primary);
      const { remembered, fault } = await this.#look(account.primary);
      if (fault) throw new Refusal(fault.code);
      const chain = Chain.from(remembered.state);
      const createdAt = Math.max(this.#clock.seconds(), chain.latest ?? 0);
      const event = await chain.signNext(op, createdAt, key);
      await chain.append(event);
      try {
        await this.#store(account.primary, event);
        this.#looks.delete(account.primary);
        await this.#look(account.primary);
        return;
      } catch (error) {
        const cameLate = ['wrong_seq', 'wrong_prev', 'conflict'].includes(codeOf(error));
        if (!cameLate || race === RACES) throw error;
        await new Promise((again) => setTimeout(again, delay(0)));
      }
    }
  }

  async #store(primary: Primary, event: string): Promise<void> {
    if (this.#connection.isLive) {
      await this.#connection.calls.call(APPEND, { event: new Verbatim(event) });
      return;
    }
    const { system, name } = split(primary);
    await this.#http.post(paths.sigchain(system, name), event);
  }

  #look(primary: Primary, pages = Infinity): Promise<Look> {
    const known = this.#looks.get(primary);
    if (known && this.#clock.now() - known.at < FRESH) return known.look;
    const look = this.#lookNow(primary, pages);
    this.#looks.set(primary, { at: this.#clock.now(), look });
    look.catch(() => {
      if (this.#looks.get(primary)?.look === look) this.#looks.delete(primary);
    });
    return look;
  }

  async #lookNow(primary: Primary, pages: number): Promise<Look> {
    const account = this.#account;
    const { note, kept } = await this.#remembered(primary);
    let remembered: Remembered = kept ?? { state: new Chain(primary).state(), since: {} };
    // For whoever asked: another account may be open when the answer comes.
    const keep = async (notes: Remembered) =>
      void (
        note &&
        this.#account === account &&
        (await account?.mailbox.commit({ notes: { [note]: notes } }))
      );
    // Locked meanwhile: nobody is asked any more, and no worker is started.
    const mustGoOn = () => {
      if (this.#account !== account) throw new Refusal('locked');
    };
    for (let look = 1; ; look++) {
      const extended = await this.#extend(remembered, pages, { keep, mustGoOn });
      if (extended.fault?.code === 'rolled_back' && look < LOOKS) {
        remembered = extended.remembered;
        await new Promise((again) => setTimeout(again, delay(look)));
        continue;
      }
      return extended;
    }
  }

  async #remembered(primary: Primary): Promise<{ note?: string; kept?: Remembered | undefined }> {
    const mailbox = this.#account?.mailbox;
    if (!mailbox) return {};
    const note = await mailbox.noteAbout('chain', primary);
    return { note, kept: (await mailbox.note(note)) as Remembered | undefined };
  }

  /** The chain with what came since, page by page; each is kept, so that whoever is interrupted goes on from there. */
  async #extend(
    from: Remembered,
    pages: number,
    { keep, mustGoOn }: { keep: (remembered: Remembered) => Promise<void>; mustGoOn: () => void },
  ): Promise<Look> {
    let remembered = from;
    for (let page = 1; ; page++) {
      mustGoOn();
      const { events, head, more } = await this.#events(remembered.state.primary, remembered.state.length);
      const mismatch = compare(remembered.state, head, events.length);
      if (mismatch) return { remembered, fault: mismatch };
      mustGoOn();
      const { state, since, fault } = await this.#work.extend(remembered.state, events);
      const isNew = state.length > remembered.state.length;
      remembered = {
        state: withShortNames(state),
        since: { ...remembered.since, ...Object.fromEntries(since) },
      };
      if (isNew) await keep(remembered);
      if (fault) {
        // What follows another event than the one that was seen is another history.
        const isFork = fault.code === 'wrong_prev' && fault.seq === from.state.length && fault.seq > 0;
        return { remembered, fault: isFork ? { code: 'forked', seq: fault.seq - 1 } : fault };
      }
      if (!more || events.length === 0) return { remembered, fault: null };
      if (page >= pages) throw new Refusal('long_chain');
    }
  }

  async #events(
    primary: Primary,
    since: number,
  ): Promise<{ events: string[]; head: Head | null; more: boolean }> {
    if (this.#connection.isLive) {
      const page = await this.#connection.calls.call(EVENTS, {
        primary,
        since,
        limit: limits.sigchain.maxPage,
      });
      return { ...page, events: page.events.map(canonicalText) };
    }
    const { system, name } = split(primary);
    try {
      const { text, tag } = await this.#http.text(`${paths.sigchain(system, name)}?since=${since}`);
      const events = fromLines(text);
      const seq = since + events.length - 1;
      return { events, head: tag ? { seq, head: tag } : null, more: false };
    } catch (error) {
      if (codeOf(error) === 'not_found') return { events: [], head: null, more: false };
      throw error;
    }
  }

  #shown({ remembered: { state, since }, fault }: Look): ChainState {
    const time = (subject: string) => formatTime(since[subject] ?? 0);
    const mine = this.#account?.device?.primary;
    return {
      primary: state.primary,
      length: state.length,
      head: state.head ?? null,
      claims: state.claims.map((subject) => ({ subject, since: time(subject) })),
      devices: state.devices.map(([device, name]) => ({
        device,
        name,
        addedAt: time(device),
        isThis: device === mine,
      })),
      successor: state.successor ?? null,
      fault,
    };
  }
}

/** What was found of a chain. */
interface Look {
  remembered: Remembered;
  fault: ChainState['fault'];
}

/** A name may be as long as an event, and is only shown: ten thousand of them would fill memory and disk. */
function withShortNames(state: Held): Held {
  const isLong = state.devices.some(([, name]) => name.length > MAX_NAME);
  if (!isLong) return state;
  return { ...state, devices: state.devices.map(([device, name]) => [device, shortened(name)]) };
}

function shortened(name: string): string {
  return name.length > MAX_NAME ? `${name.slice(0, MAX_NAME - 1).toWellFormed()}…` : name;
}

/** Whether the server's word of where the chain ends goes on from what was seen. */
function compare(seen: Held, head: Head | null, fresh: number): ChainState['fault'] {
  if (seen.length === 0) return null;
  if (!head || head.seq < seen.length - 1) return { code: 'rolled_back', seq: seen.length - 1 };
  const endsWhereSeen = head.seq === seen.length - 1 && fresh === 0;
  return endsWhereSeen && head.head !== seen.head ? { code: 'forked', seq: seen.length - 1 } : null;
}
