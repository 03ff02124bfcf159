// What is kept of a conversation, as it is inside the encryption.
import type { Json } from '../crypto/json.ts';

export type KeptStatus = 'sending' | 'sent' | 'delivered' | 'read' | 'failed';

export interface KeptMessage {
  id: string;
  peer: string;
  /** 1, 2, 3 … within its chat; 0 before it is stored. */
  place: number;
  isMine: boolean;
  /** When it was written, in milliseconds. */
  at: number;
  /** null for a kind that this version does not know; then `body` holds it whole. */
  text: string | null;
  body?: Json;
  status: KeptStatus | null;
  failure?: string;
}

export interface KeptChat {
  peer: string;
  preview: string;
  lastId: string | null;
  lastIsMine: boolean;
  lastStatus: KeptStatus | null;
  lastAt: number;
  unread: number;
  /** Everything up to this place was seen. */
  readPlace: number;
}

/** A sealed message on its way; the very bytes that are sent again until they are stored, as long as they are good. */
export interface KeptOutgoing {
  /** Its place in the outbox; 0 before it is stored. */
  place: number;
  id: string;
  peer: string;
  kind: 'text' | 'copy' | 'receipt' | 'picture_key';
  /** The sealed message's text. */
  sealed: string;
  /** When it was sealed, in milliseconds. */
  at: number;
  /** Who signed it; not known of what was kept by early versions. */
  signer?: string;
}

/** What a change has put into storage, with its places. */
export interface Written {
  /** The new messages that were not here yet. */
  added: KeptMessage[];
  /** What waits to be sent since then. */
  waiting: KeptOutgoing[];
}

/** What happens to an account's mail at once, or not at all. */
export interface Change {
  /** New messages; those whose id is here already are left out. */
  add?: readonly KeptMessage[];
  /** Messages that are here, in their new form. */
  update?: readonly KeptMessage[];
  remove?: readonly KeptMessage[];
  chats?: readonly KeptChat[];
  send?: readonly KeptOutgoing[];
  /** Places of the outbox. */
  sent?: readonly number[];
  /** By name; `undefined` removes. */
  notes?: Readonly<Record<string, unknown>>;
}
