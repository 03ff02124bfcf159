// One event of a sigchain, before anybody asks which chain it continues (protocol section 6).
import { sha256 } from '@noble/hashes/sha2.js';
import { toHex, utf8, utf8Length } from './bytes.ts';
import { envelopeText, signedFromValue } from './envelope.ts';
import { Fault, type FaultCode } from './fault.ts';
import { parse, type Json } from './json.ts';
import { proofHolds, readOp, type Op } from './op.ts';
import * as members from './payload.ts';
import type { Primary } from './primary.ts';

/** The longest event, as text, in bytes. */
export const MAX_EVENT_BYTES = 16 * 1024;

/** An event whose signature holds and whose place is open: `Chain.place` judges it. Only `parseEvent` makes one. */
export interface Event {
  readonly primary: Primary;
  /** Its number in the chain, from 0. */
  readonly seq: number;
  /** The hash of the event before it, `sha256:<hex>`. */
  readonly prev: string | undefined;
  readonly createdAt: number;
  /** What it does. What is wrong with its own members comes after what is wrong with the event's place. */
  readonly op: Op | { fault: FaultCode };
  /** Whether the key that the operation adds, if any, has agreed. */
  readonly hasProof: boolean;
  /** Its own hash, `sha256:<hex>`, which the next event names. */
  readonly hash: string;
  /** The envelope's text: JCS of the whole, signature included. */
  readonly text: string;
}

/** Reads an event and checks its signature, and the proof inside; `too_large`, section 3, then `malformed`. */
export async function parseEvent(event: string): Promise<Event> {
  if (utf8Length(event) > MAX_EVENT_BYTES) throw new Fault('too_large');
  return eventFromValue(parse(event));
}

/** Like `parseEvent`, for a value that `parse` of `json.ts` has read. */
export async function eventFromValue(event: Json): Promise<Event> {
  const signed = await signedFromValue(event, 'sigchain_event');
  const { payload, primary } = signed;
  const name = members.text(payload, 'op');
  const op = tryReadOp(name, members.object(payload, 'payload'));
  const text = envelopeText(signed);
  return {
    primary,
    seq: members.integer(payload, 'seq'),
    prev: members.optionalText(payload, 'prev'),
    createdAt: members.time(payload, 'created_at'),
    op,
    hasProof: 'fault' in op || (await proofHolds(primary, op)),
    hash: `sha256:${toHex(sha256(utf8(text)))}`,
    text,
  };
}

function tryReadOp(...[name, payload]: Parameters<typeof readOp>): Event['op'] {
  try {
    return readOp(name, payload);
  } catch (error) {
    if (error instanceof Fault) return { fault: error.code };
    throw error;
  }
}
