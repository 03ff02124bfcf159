// Runs in a page: fills chats through the client's own storage, encrypted with the keys of the session that is open there.
import { withMessage, emptyChat } from '../src/state/summary.ts';
import { openDatabase } from '../src/storage/database.ts';
import type { KeptMessage } from '../src/storage/kept.ts';
import { Mailbox } from '../src/storage/mailbox.ts';

/** Fills one chat with texts, the oldest first and half an hour between them; the last one is as old as `ended`, in milliseconds. */
export async function fill(peer: string, texts: readonly string[], ended: number): Promise<void> {
  const database = await openDatabase({ outdated: () => undefined });
  const [session] = await database.getAll('sessions');
  if (!session) throw new Error('nothing is unlocked here');
  const mailbox = new Mailbox(database, session.primary, { data: session.data, tags: session.tags });
  const messages = texts.map((text, index): KeptMessage => {
    const isMine = index % 3 === 0;
    const id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
      byte.toString(16).padStart(2, '0'),
    ).join('');
    const at = ended - (texts.length - 1 - index) * 30 * 60_000;
    return { id, peer, place: index + 1, isMine, at, text, status: isMine ? 'read' : null };
  });
  await mailbox.replace(peer, messages);
  const [last] = messages.slice(-1);
  const chat = last ? withMessage(emptyChat(peer, ended), last) : emptyChat(peer, ended);
  await mailbox.commit({ chats: [{ ...chat, unread: 0, readPlace: messages.length }] });
  database.close();
}
