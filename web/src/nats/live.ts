// A message of one's mailbox the moment it is stored, as the stream itself republishes it.
import type { Msg } from '@nats-io/nats-core';
import { parse, type Json } from '../crypto/json.ts';

/** A sealed message as it was stored; the envelope is whatever its sender has handed in. */
export interface Stored {
  seq: number;
  /** RFC 3339, UTC, whole seconds. */
  receivedAt: string;
  envelope: Json;
}

export interface Live {
  stored: Stored;
  /** The sequence of the message before it in the same mailbox. */
  previous: number;
}

/**
 * None for anything that the stream did not send: anyone may steer a service's reply to this subject, by naming it as the
 * reply of a request, but not write the stream's headers.
 */
export function readLive(
  { headers, data }: Pick<Msg, 'headers' | 'data'>,
  primary: string,
): Live | undefined {
  if (!headers?.get('Nats-Stream').startsWith('KEZ_INBOX_')) return undefined;
  if (headers.get('Nats-Subject') !== `kez.inbox.${primary.slice(0, 2)}.${primary}`) return undefined;
  const [seq, previous] = ['Nats-Sequence', 'Nats-Last-Sequence'].map((name) =>
    wholeNumber(headers.get(name)),
  );
  if (seq === undefined || previous === undefined) return undefined;
  const seconds = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}/.exec(headers.get('Nats-Time-Stamp'))?.[0];
  try {
    return { stored: { seq, receivedAt: seconds ? `${seconds}Z` : '', envelope: parse(data) }, previous };
  } catch {
    return undefined;
  }
}

function wholeNumber(text: string): number | undefined {
  const number = Number(text);
  return /^\d{1,15}$/.test(text) ? number : undefined;
}
