// Messages: what someone writes to someone, before it is sealed (protocol section 8).
import { fromBase64url, fromHex, toBase64url, toHex, type Bytes } from './bytes.ts';
import { ed25519Of, type Signed } from './envelope.ts';
import { Fault } from './fault.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import * as members from './payload.ts';
import type { Ed25519Primary } from './primary.ts';
import { formatTime } from './timestamp.ts';

/** A message's own name: 16 random bytes as 32 lower-case hex digits. */
export type MessageId = string;

/** How far a message came: to the recipient's device, or before their eyes. */
export type ReceiptStatus = 'delivered' | 'read';

/** What a message says. `unknown` is something that a newer version may understand; it is kept whole. */
export type Body =
  | { kind: 'text'; text: string; copyOf?: Copied }
  | { kind: 'receipt'; status: ReceiptStatus; of: MessageId[] }
  /** The key of the sender's picture: 32 bytes, and the hex SHA-256 of the ciphertext that it opens. */
  | { kind: 'picture_key'; key: Bytes; picture: string }
  | { kind: 'unknown'; value: Json };

/** In a text to myself: that it is a copy, for my other devices, of what I have sent to somebody under this id. */
export interface Copied {
  to: Ed25519Primary;
  id: MessageId;
}

/** A message as it was signed. */
export interface Message {
  id: MessageId;
  primary: Ed25519Primary;
  /** The device that signed for the primary, which must be active in its sigchain (`unknown_device` otherwise). */
  device: Ed25519Primary | undefined;
  to: Ed25519Primary;
  sentAt: number;
  body: Body;
}

/** The id of 16 random bytes. */
export function messageId(random: Uint8Array): MessageId {
  if (random.length !== 16) throw new Fault('malformed');
  return toHex(random);
}

/** The message in a signed envelope. */
export function messageFromSigned(signed: Signed): Message {
  const { payload, device } = signed;
  return {
    id: parseId(members.text(payload, 'id')),
    primary: ed25519Of(signed),
    device,
    to: members.key(payload, 'to'),
    sentAt: members.time(payload, 'sent_at'),
    body: readBody(members.value(payload, 'body')),
  };
}

/** The members to sign, without `type` and `version`. */
export function messagePayload({ id, primary, device, to, sentAt, body }: Message): JsonObject {
  return members.payload({ id, primary, device, to, sent_at: formatTime(sentAt), body: bodyValue(body) });
}

/** Reads a body. Kinds that are not known, and receipts of a status that is not known, become `unknown`. */
export function readBody(value: Json): Body {
  if (!isObject(value)) throw new Fault('malformed');
  switch (members.text(value, 'kind')) {
    case 'text':
      return { kind: 'text', text: members.text(value, 'text'), ...readCopied(value['copy_of']) };
    case 'receipt': {
      const status = members.text(value, 'status');
      if (status !== 'delivered' && status !== 'read') return { kind: 'unknown', value };
      return { kind: 'receipt', status, of: members.array(value, 'of').map(parseId) };
    }
    case 'picture_key':
      return readPictureKey(value);
    default:
      return { kind: 'unknown', value };
  }
}

/** The body on the wire. */
export function bodyValue(body: Body): Json {
  if (body.kind === 'unknown') return body.value;
  if (body.kind === 'text') {
    const { copyOf, ...rest } = body;
    return copyOf ? { ...rest, copy_of: { ...copyOf } } : rest;
  }
  return body.kind === 'picture_key' ? { ...body, key: toBase64url(body.key) } : { ...body };
}

/** Whoever does not know this member shows the text, so one that cannot be read is no reason to lose it. */
function readCopied(value: Json | undefined): { copyOf?: Copied } {
  if (value === undefined || !isObject(value)) return {};
  try {
    return { copyOf: { to: members.key(value, 'to'), id: parseId(members.text(value, 'id')) } };
  } catch {
    return {};
  }
}

function readPictureKey(value: JsonObject): Body {
  const [key, picture] = [fromBase64url(members.text(value, 'key')), members.text(value, 'picture')];
  if (key.length !== 32 || !fromHex(picture, 32)) throw new Fault('malformed');
  return { kind: 'picture_key', key, picture };
}

function parseId(id: Json): MessageId {
  if (typeof id !== 'string' || !fromHex(id, 16)) throw new Fault('malformed');
  return id;
}
