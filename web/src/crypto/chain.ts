// Sigchains: an identity's history of accounts and devices, event by event (protocol section 6).
import { compareUtf8 } from './bytes.ts';
import { createSigned, envelopeText } from './envelope.ts';
import { parseEvent, type Event } from './event.ts';
import { Fault } from './fault.ts';
import { parseIdentifier, type Identifier } from './identifier.ts';
import type { Signer } from './keys.ts';
import { opPayload, type Op } from './op.ts';
import { payload } from './payload.ts';
import type { Ed25519Primary, Primary } from './primary.ts';
import { formatTime } from './timestamp.ts';

/** The most events that a chain may have. */
export const MAX_EVENTS = 10_000;

/** What a chain of valid events has come to, as plain data that storage and workers can carry. */
export interface ChainState {
  readonly primary: Primary;
  readonly length: number;
  readonly head: string | undefined;
  readonly latest: number | undefined;
  readonly claims: readonly Identifier[];
  readonly revoked: readonly Identifier[];
  /** Devices that may sign for the identity now, with their names. */
  readonly devices: readonly (readonly [Ed25519Primary, string])[];
  readonly successor: Ed25519Primary | undefined;
}

export class Chain {
  readonly primary: Primary;
  #length = 0;
  #head: string | undefined;
  #latest: number | undefined;
  #successor: Ed25519Primary | undefined;
  readonly #claims = new Set<Identifier>();
  readonly #revoked = new Set<Identifier>();
  readonly #devices = new Map<Identifier, string>();

  /** An identity's chain before its first event. */
  constructor(primary: Primary) {
    this.primary = primary;
  }

  /** The chain that has come to this state. */
  static from(state: ChainState): Chain {
    const chain = new Chain(state.primary);
    chain.#length = state.length;
    chain.#head = state.head;
    chain.#latest = state.latest;
    chain.#successor = state.successor;
    for (const claim of state.claims) chain.#claims.add(claim);
    for (const claim of state.revoked) chain.#revoked.add(claim);
    for (const [device, name] of state.devices) chain.#devices.set(device, name);
    return chain;
  }

  /** Appends an event as a service does, which refuses what it does not know. A refused event changes nothing. */
  async append(event: string): Promise<void> {
    this.place(await parseEvent(event));
  }

  /** Appends an event as a reader of a downloaded chain does: an unknown operation is hashed and has no effect. */
  async appendDownloaded(event: string): Promise<void> {
    this.placeDownloaded(await parseEvent(event));
  }

  /** Like `append`, for an event whose signature was checked already. */
  place(event: Event): void {
    const op = this.#checkPlace(event);
    if (op.op === 'unknown') throw new Fault('unknown_op');
    this.#take(op, event);
  }

  /** Like `appendDownloaded`, for an event whose signature was checked already. */
  placeDownloaded(event: Event): void {
    this.#take(this.#checkPlace(event), event);
  }

  /** Signs the event that carries out `op` next, as the chain's own identity; its text, for `append` to judge. */
  async signNext(op: Op, createdAt: number, signer: Signer): Promise<string> {
    const members = payload({
      primary: this.primary,
      seq: this.#length,
      prev: this.#head,
      created_at: formatTime(createdAt),
      op: op.op,
      payload: opPayload(op),
    });
    return envelopeText(await createSigned('sigchain_event', members, signer));
  }

  /** How many events there are, which is also the next one's `seq`. */
  get length(): number {
    return this.#length;
  }

  /** The hash of the last event's envelope, `sha256:<hex>`; none before the first. */
  get head(): string | undefined {
    return this.#head;
  }

  /** When the last event was signed: the next one's `created_at` may not be before it. */
  get latest(): number | undefined {
    return this.#latest;
  }

  /** The identity that this one has become, which closes the chain. */
  get successor(): Ed25519Primary | undefined {
    return this.#successor;
  }

  /** The accounts that the identity claims now, in order. */
  get claims(): Identifier[] {
    return [...this.#claims].sort(compareUtf8);
  }

  /** The devices that may sign for the identity now, in order, with their names. */
  get devices(): [Ed25519Primary, string][] {
    return ([...this.#devices] as [Ed25519Primary, string][]).sort(([a], [b]) => compareUtf8(a, b));
  }

  isClaimed(account: Identifier): boolean {
    return this.#claims.has(account);
  }

  /** Whether the identity claimed the account once, has taken that back and has not claimed it again. */
  wasRevoked(account: Identifier): boolean {
    return this.#revoked.has(account);
  }

  /** Whether this device may sign for the identity now (`unknown_device` otherwise). */
  hasDevice(device: Ed25519Primary): boolean {
    return this.#devices.has(device);
  }

  state(): ChainState {
    return {
      primary: this.primary,
      length: this.#length,
      head: this.#head,
      latest: this.#latest,
      claims: this.claims,
      revoked: [...this.#revoked].sort(compareUtf8),
      devices: this.devices,
      successor: this.#successor,
    };
  }

  /** Checks an event's place: everything but its operation's own rule. */
  #checkPlace(event: Event): Op {
    if (event.primary !== this.primary) throw new Fault('wrong_primary');
    if (this.#successor !== undefined) throw new Fault('chain_closed');
    if (this.#length >= MAX_EVENTS) throw new Fault('too_large');
    if (event.seq !== this.#length) throw new Fault('wrong_seq');
    if (event.prev !== this.#head) throw new Fault('wrong_prev');
    if (this.#latest !== undefined && event.createdAt < this.#latest) throw new Fault('clock_backwards');
    if ('fault' in event.op) throw new Fault(event.op.fault);
    return event.op;
  }

  /** Checks the operation's own rule and, if it holds, moves on. */
  #take(op: Op, event: Event): void {
    switch (op.op) {
      case 'add':
        if (this.#isActive(op.subject)) throw new Fault('already_active');
        this.#revoked.delete(op.subject);
        this.#claims.add(op.subject);
        break;
      case 'revoke':
        this.#revoke(op.subject);
        break;
      case 'add_device':
        if (this.#isActive(op.device)) throw new Fault('already_active');
        if (!event.hasProof) throw new Fault('bad_proof');
        this.#devices.set(op.device, op.name);
        break;
      case 'rotate':
        if (!event.hasProof) throw new Fault('bad_proof');
        this.#successor = op.successor;
        break;
      case 'unknown':
        break;
    }
    this.#length += 1;
    this.#head = event.hash;
    this.#latest = event.createdAt;
  }

  #revoke(subject: Identifier): void {
    const wasDevice = this.#devices.delete(subject);
    const wasClaimed = this.#claims.delete(subject);
    if (!wasClaimed && !wasDevice) throw new Fault('not_active');
    if (wasClaimed) this.#revoked.add(subject);
  }

  /** Whether it is claimed or a device now. They share one set of names, so that a revocation means one thing. */
  #isActive(subject: Identifier): boolean {
    return this.#claims.has(subject) || this.#devices.has(subject);
  }
}

/** The event that claims an account, by the name that people type. */
export function addOp(subject: string): Op {
  return { op: 'add', subject: parseIdentifier(subject) };
}

export function revokeOp(subject: string): Op {
  return { op: 'revoke', subject: parseIdentifier(subject) };
}
