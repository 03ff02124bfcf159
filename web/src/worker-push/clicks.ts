// A click on a notification: the page that is open comes to the front and goes to the chat, or a page is opened there. Several
// may be open, of several accounts: they say whose they are.
import { dataOf } from './notices.ts';
import type { ToPage, Whose } from './talk.ts';

declare const self: ServiceWorkerGlobalScope;

/** A page that says nothing for so long was stopped by the browser, in milliseconds. */
const PATIENCE = 1_000;

export async function clicked(notification: Notification): Promise<void> {
  const data = dataOf(notification);
  notification.close();
  if (!data) return;
  const { account, path } = data;
  const page = (await openPage(account)) ?? (await self.clients.openWindow(path));
  page?.postMessage({ kind: 'open', account, path } satisfies ToPage);
  try {
    await page?.focus();
  } catch {
    // The browser does not think that it was a click.
  }
}

/** The account's own page if it has one, for any other would have to lock what is open in it; the one that is looked at, or any. */
async function openPage(account: string | null): Promise<WindowClient | undefined> {
  const all = await Promise.all((await allPages()).map(async (page) => ({ page, ...(await whose(page)) })));
  const theirs = all.filter((one) => account !== null && one.account === account);
  const pages = (theirs.length > 0 ? theirs : all).map(({ page }) => page);
  return pages.find(({ focused }) => focused) ?? pages.find(isVisible) ?? pages[0];
}

/** Whether somebody looks at a page in which the account is open. */
export async function isLookedAt(account: string): Promise<boolean> {
  const answers = await Promise.all((await allPages()).filter(isVisible).map(whose));
  return answers.some((one) => one.isLookedAt && one.account === account);
}

/** Whose page it is, as it says itself. */
async function whose(page: WindowClient): Promise<Whose> {
  const { port1: here, port2: there } = new MessageChannel();
  return new Promise((resolve) => {
    setTimeout(() => resolve({ account: null, isLookedAt: false }), PATIENCE);
    here.onmessage = ({ data }: MessageEvent<Whose>) => resolve(data);
    page.postMessage({ kind: 'whose' } satisfies ToPage, [there]);
  });
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
