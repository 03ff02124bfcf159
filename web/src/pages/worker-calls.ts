// What the service worker asks of a page: to open the chat of a notification that somebody has clicked, to tell the server of
// the browser's new push subscription, or whose page it is.
import { router } from '../router.svelte.ts';
import { route } from '../routes.ts';
import { kez } from '../state/kez.svelte.ts';
import { readToPage, type Whose } from '../worker-push/talk.ts';

/** `started`: when it is known which accounts this browser has. */
export function hearWorker(started: Promise<void>): void {
  const { serviceWorker } = globalThis.navigator;
  if (!serviceWorker) return;
  serviceWorker.addEventListener('message', ({ data, ports }) => {
    const word = readToPage(data);
    if (word?.kind === 'subscription changed') kez.push.subscriptionChanged();
    if (word?.kind === 'whose') ports[0]?.postMessage(whose());
    if (word?.kind === 'open') void started.then(() => open(word.account, word.path));
  });
  serviceWorker.startMessages();
}

function whose(): Whose {
  const { status, current } = kez.account;
  const account = status === 'unlocked' ? (current?.primary ?? null) : null;
  return { account, isLookedAt: document.visibilityState === 'visible' };
}

/** Another account of this browser has to be unlocked first: whoever clicks its message means that one. */
async function open(account: string | null, path: string): Promise<void> {
  if (route(path).name !== 'chats') return;
  const isOther = account !== null && account !== kez.account.current?.primary;
  if (isOther && kez.account.accounts.some(({ primary }) => primary === account))
    await kez.account.switchTo(account);
  router.go(path);
}
