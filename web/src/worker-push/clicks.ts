// A click on a notification: the page that is open comes to the front and goes to the chat, or a page is opened there.
import { dataOf } from './notices.ts';
import type { ToPage } from './talk.ts';

declare const self: ServiceWorkerGlobalScope;

export async function clicked(notification: Notification): Promise<void> {
  const data = dataOf(notification);
  notification.close();
  if (!data) return;
  const { account, path } = data;
  const page = (await openPage()) ?? (await self.clients.openWindow(path));
  page?.postMessage({ kind: 'open', account, path } satisfies ToPage);
  try {
    await page?.focus();
  } catch {
    // The browser does not think that it was a click.
  }
}

/** The page that is looked at, or else any. */
async function openPage(): Promise<WindowClient | undefined> {
  const pages = await allPages();
  return pages.find(({ focused }) => focused) ?? pages.find(isVisible) ?? pages[0];
}

/** Whether somebody looks at a page. */
export async function isLookedAt(): Promise<boolean> {
  return (await allPages()).some(isVisible);
}

export async function tellPages(word: ToPage): Promise<void> {
  for (const page of await allPages()) page.postMessage(word);
}

async function allPages(): Promise<readonly WindowClient[]> {
  return self.clients.matchAll({ type: 'window', includeUncontrolled: true });
}

function isVisible({ visibilityState }: WindowClient): boolean {
  return visibilityState === 'visible';
}
