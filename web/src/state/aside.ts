// Mail whose sender's sigchain takes long to follow: it is set aside, so that nobody else's mail waits for it, and not lost.
import type { Stored } from '../nats/live.ts';
import type { Mailbox } from '../storage/mailbox.ts';

/** Messages that are kept aside: few people have such a sigchain, and whoever makes many of them must not fill the disk. */
const MOST = 50;
const PREFIX = 'aside:';

/** The name of the note that keeps a message. */
export function asideNote(seq: number): string {
  return `${PREFIX}${String(seq).padStart(16, '0')}`;
}

/** All that was set aside, in order. */
export async function allAside(mailbox: Mailbox): Promise<Stored[]> {
  return [...(await mailbox.notes(PREFIX)).values()] as Stored[];
}

/** The notes that keep these messages, of which those at the end may find no room. */
export async function setAside(mailbox: Mailbox, stored: readonly Stored[]): Promise<Record<string, Stored>> {
  if (stored.length === 0) return {};
  const room = Math.max(0, MOST - (await allAside(mailbox)).length);
  return Object.fromEntries(stored.slice(0, room).map((one) => [asideNote(one.seq), one]));
}
