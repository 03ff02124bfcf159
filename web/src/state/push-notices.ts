// Notifications as pages deal with them: told of through the service worker, which knows whether anybody looks at a page, and
// closed when what they tell of was read.
import type { KeptMessage } from '../storage/kept.ts';
import type { NoticeData, Tidings } from '../worker-push/notice.ts';
import type { ToWorker } from '../worker-push/talk.ts';
import type { Chats } from './chats.svelte.ts';
import type { People } from './people.svelte.ts';

/** Something came to a page that nobody looks at. */
export async function arrived(what: { account: string; tidings: Tidings | null }): Promise<void> {
  const service = await navigator.serviceWorker.getRegistration();
  service?.active?.postMessage({ kind: 'arrived', ...what } satisfies ToWorker);
}

/** Everything that was not read, the newest chat first; the words if it is a single message. */
export async function tidingsOf(
  chats: Chats,
  people: People,
  last: KeptMessage | undefined,
): Promise<Tidings> {
  const unread = chats.list.filter((chat) => chat.unread > 0);
  const writers = unread.map(async ({ peer, unread }) => {
    // Whoever writes for the first time has no name yet.
    if (people.of(peer).handle === null) await people.refresh(peer).catch(() => undefined);
    return { peer, name: people.name(peer), count: unread };
  });
  const text = chats.unread === 1 ? (last?.text ?? null) : null;
  return { writers: await Promise.all(writers), text };
}

/**
 * Closes an account's notifications: all of them, or those that tell of nobody who has still something unread. Of one that does
 * not say of whom it tells, somebody who looks at the page knows enough; while nobody does, it stands for all that is unread.
 */
export async function closeNotices(
  account: string,
  unread: ReadonlySet<string> = new Set(),
  isLookedAt = true,
): Promise<void> {
  const service = await navigator.serviceWorker.getRegistration();
  for (const notification of (await service?.getNotifications()) ?? []) {
    const { account: whose, peers } = (notification.data ?? {}) as Partial<NoticeData>;
    const isTheirs = whose === account || whose === null;
    const tellsOf = peers?.length || isLookedAt ? (peers ?? []) : [...unread];
    if (isTheirs && !tellsOf.some((peer) => unread.has(peer))) notification.close();
  }
}

/** The number on the app's icon. */
export async function setBadge(count: number): Promise<void> {
  try {
    await navigator.setAppBadge(count);
  } catch {
    // A system without badges.
  }
}
