// Showing notifications, one an account, and the number on the app's icon.
import { tagOf, type Notice, type NoticeData } from './notice.ts';

declare const self: ServiceWorkerGlobalScope;

/** The browser knows more of notifications than TypeScript. */
type Options = NotificationOptions & { renotify?: boolean };

/** Shows a notice in the place of what stood there. `isNews`: whoever has seen that one should look again. */
export async function show(notice: Notice, isNews: boolean): Promise<void> {
  const { tag, title, body, data } = notice;
  const options: Options = { tag, body, data, icon: '/icon-192.png', renotify: isNews, silent: !isNews };
  await self.registration.showNotification(title, options);
  // What was not known to be this account's was.
  if (data.account !== null) await close(null);
}

export async function isShown(account: string | null): Promise<boolean> {
  return (await self.registration.getNotifications({ tag: tagOf(account) })).length > 0;
}

export async function close(account: string | null): Promise<void> {
  for (const one of await self.registration.getNotifications({ tag: tagOf(account) })) one.close();
}

/** What a notification carries, if it is one of ours. */
export function dataOf({ data }: Notification): NoticeData | undefined {
  const { account, peers, path } = (data ?? {}) as Partial<NoticeData>;
  const isOurs = typeof path === 'string' && Array.isArray(peers) && account !== undefined;
  return isOurs ? { account, peers, path } : undefined;
}

/** The number on the app's icon; a dot where the number is not known. */
export async function setBadge(count: number | undefined): Promise<void> {
  try {
    await (count === undefined ? self.navigator.setAppBadge() : self.navigator.setAppBadge(count));
  } catch {
    // A system without badges.
  }
}
