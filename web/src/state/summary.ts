// A chat's row in the list, from what has happened in it: pure.
import type { KeptChat, KeptMessage } from '../storage/kept.ts';

/** Characters of a preview. */
const PREVIEW = 120;

export function emptyChat(peer: string, now: number): KeptChat {
  return {
    peer,
    preview: '',
    lastId: null,
    lastIsMine: false,
    lastStatus: null,
    lastAt: now,
    unread: 0,
    readPlace: 0,
  };
}

/** The chat after one more message. */
export function withMessage(chat: KeptChat, message: KeptMessage): KeptChat {
  return {
    ...chat,
    ...last(message),
    unread: message.isMine ? chat.unread : chat.unread + 1,
  };
}

/** The chat after a message in it has a new form. */
export function withUpdate(chat: KeptChat, message: KeptMessage): KeptChat {
  return chat.lastId === message.id ? { ...chat, ...last(message) } : chat;
}

/** The chat when `message` is the last one that is left in it. */
export function endingWith(chat: KeptChat, message: KeptMessage | undefined): KeptChat {
  if (message) return { ...chat, ...last(message) };
  return { ...emptyChat(chat.peer, chat.lastAt), unread: chat.unread, readPlace: chat.readPlace };
}

/** One line, and not longer than a row shows; no half of a pair at its end. */
export function previewOf(text: string | null): string {
  return Array.from(
    (text ?? '')
      .slice(0, 4 * PREVIEW)
      .replace(/\s+/gu, ' ')
      .trim(),
  )
    .slice(0, PREVIEW)
    .join('');
}

function last(message: KeptMessage) {
  return {
    preview: previewOf(message.text),
    lastId: message.id,
    lastIsMine: message.isMine,
    lastStatus: message.status,
    lastAt: message.at,
  };
}
