// One open conversation: its messages, what is unread in it, and its draft.
import { notYet } from './not-yet.ts';

/** `sending` → `sent` (stored by the server) → `delivered` → `read` (receipts that verify); `failed` says why. */
export type MessageStatus = 'sending' | 'sent' | 'delivered' | 'read' | 'failed';

/** A message as it is shown. */
export interface Message {
  /** 32 hex digits. */
  id: string;
  isMine: boolean;
  /** When it was written, in milliseconds. */
  at: number;
  /** The words; null for a kind that this version does not know ("needs a newer version"). Hostile: only ever text. */
  text: string | null;
  /** Of mine only; `null` for theirs. */
  status: MessageStatus | null;
  /** Why it failed: a code. */
  failure?: string;
}

export class Thread {
  readonly peer: string;
  /** The oldest first. Only the newest few at first: `loadOlder` puts more in front. */
  messages = $state.raw<readonly Message[]>([]);
  hasOlder = $state(false);
  isLoadingOlder = $state(false);
  /** The first message that was unread when the chat was opened: the divider stands above it. */
  firstUnread = $state<string | null>(null);
  unread = $state(0);
  draft = $state('');

  constructor(peer: string) {
    this.peer = peer;
  }

  /** Puts the page before in front. */
  loadOlder(): Promise<void> {
    return notYet();
  }

  /** Loads as far back as needed for a message that search has found; whether it is there. */
  loadUntil(id: string): Promise<boolean> {
    return notYet(id);
  }

  /** Shows the message at once, and sends it now or as soon as can be. Clears the draft. */
  send(text: string): Promise<void> {
    return notYet(text);
  }

  /** Tries a failed message again: the very same sealed bytes. */
  retry(id: string): Promise<void> {
    return notYet(id);
  }

  /** Removes a failed message. */
  discard(id: string): Promise<void> {
    return notYet(id);
  }

  /** What is typed; kept soon after. */
  setDraft(text: string): void {
    notYet(text);
  }

  /** Everything here was seen: read receipts go out, unread falls to 0. The divider stays until the chat is opened anew. */
  markRead(): Promise<void> {
    return notYet();
  }
}
