// Conversations: the list, what is unread, drafts, and messages on their way.
import { notYet } from './not-yet.ts';
import type { MessageStatus, Thread } from './thread.svelte.ts';

/** A row of the list of conversations. */
export interface Chat {
  /** `ed25519:<64 hex>`: what stands in the address, and what `people` knows a name for. */
  peer: string;
  /** The beginning of the last message, one line; empty when there is none. */
  preview: string;
  /** Whether I wrote the last message, and how far it came. */
  lastIsMine: boolean;
  lastStatus: MessageStatus | null;
  /** When the last message was written, in milliseconds; when the chat was begun, if there is none. */
  lastAt: number;
  unread: number;
  /** What was typed and not sent. */
  draft: string;
}

export class Chats {
  /** The newest first. */
  list = $state.raw<Chat[]>([]);
  /** Whether the list was read from storage yet. */
  isLoaded = $state(false);
  /** The chat that is open. */
  thread = $state.raw<Thread | null>(null);
  unread = $derived(this.list.reduce((sum, chat) => sum + chat.unread, 0));
  /** Messages that came and could not be taken, by code (`cannot_open`, `bad_signature`, `stale`, `unknown_device` …). */
  refused = $state.raw<Readonly<Record<string, number>>>({});

  /** Begins a chat with `alice`, `alice@server` or a key; the peer to go to. `not_found`, `wrong_server`, `invalid_handle`. */
  begin(who: string): Promise<string> {
    return notYet(who);
  }

  /** Opens a conversation; its messages come from storage. */
  open(peer: string): Promise<Thread> {
    return notYet(peer);
  }

  close(): void {
    notYet();
  }

  /** The chat after (1) or before (-1) the open one in the list, for the keyboard. */
  neighbour(step: 1 | -1): string | null {
    return notYet(step);
  }
}
