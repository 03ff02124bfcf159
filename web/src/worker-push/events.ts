// The notification half of the service worker: what it listens to.
import { clicked, isLookedAt, tellPages } from './clicks.ts';
import { tell, tellPlainly } from './notice.ts';
import type { ToWorker } from './talk.ts';
import { show, wake } from './wake.ts';

declare const self: ServiceWorkerGlobalScope;

export function listen(): void {
  // What a push carries is nobody's business: it says that something came, and no more.
  self.addEventListener('push', (event) => event.waitUntil(wake()));
  self.addEventListener('notificationclick', (event) => event.waitUntil(clicked(event.notification)));
  self.addEventListener('message', (event) => event.waitUntil(hear(event.data as ToWorker)));
  self.addEventListener('pushsubscriptionchange', (event) => {
    // Only a page may tell the server; where none is open, the next one that is unlocked does.
    (event as ExtendableEvent).waitUntil(tellPages({ kind: 'subscription changed' }));
  });
}

/** Only pages of ours can say anything: the browser lets no others. */
async function hear(word: ToWorker): Promise<void> {
  if (word === 'take over') return self.skipWaiting();
  if (word.kind !== 'arrived' || (await isLookedAt(word.account))) return;
  const { account, tidings } = word;
  await show(tidings ? tell(account, tidings) : tellPlainly(account), true);
}
