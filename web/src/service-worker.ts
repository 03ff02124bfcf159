// The offline shell: the page of this version and all it needs, kept together, so that it opens without a network. Nothing
// under /v1 is ever kept. A newer version waits until a person takes it, or every tab of the old one is closed. The other
// half of the service worker, which tells of messages, is in worker-push/.
import { listen } from './worker-push/events.ts';

declare const self: ServiceWorkerGlobalScope;

/** What the build has made: addresses of the shell, and a name that changes with any of them (service-worker.build.ts). */
declare const SHELL: readonly string[];
declare const VERSION: string;

const NAME = `kez-shell-${VERSION}`;
/** Where the client has no pages and no files: these belong to the server. */
const SERVER = /^\/(v1|\.well-known|errors|metrics)(\/|$)/;

self.addEventListener('install', (event) => {
  event.waitUntil(keepShell());
});

self.addEventListener('activate', (event) => {
  event.waitUntil(takeOver());
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== self.location.origin || SERVER.test(pathname)) return;
  if (request.mode === 'navigate') {
    const answer = page(request);
    event.respondWith(answer);
    event.waitUntil(answer.then(renewPage));
  } else if (pathname.startsWith('/assets/') || SHELL.includes(pathname)) event.respondWith(file(request));
});

listen();

async function keepShell(): Promise<void> {
  const cache = await caches.open(NAME);
  // Past the browser's own cache, or the page of one version would stand beside the scripts of another.
  await cache.addAll(SHELL.map((address) => new Request(address, { cache: 'no-cache' })));
}

async function takeOver(): Promise<void> {
  const old = (await caches.keys()).filter((name) => name.startsWith('kez-shell-') && name !== NAME);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

/** Every page is the same document, which draws them all. */
async function page(request: Request): Promise<Response> {
  const cache = await caches.open(NAME);
  return (await cache.match('/')) ?? fetch(request);
}

/**
 * What the server says with its page, above all what the page may load and connect to, may be another today: the next one is
 * kept with it. A page with other words in it is a newer version, which comes with its own service worker.
 */
async function renewPage(): Promise<void> {
  const cache = await caches.open(NAME);
  try {
    const [kept, fresh] = await Promise.all([cache.match('/'), fetch('/', { cache: 'no-cache' })]);
    const isSame = fresh.ok && (await fresh.clone().text()) === (await kept?.text());
    if (isSame) await cache.put('/', fresh);
  } catch {
    // Nobody can be asked: it stays as it is.
  }
}

/** Hashed files never change. Those that the shell does without (fonts of other scripts) are kept once they were needed. */
async function file(request: Request): Promise<Response> {
  const cache = await caches.open(NAME);
  const kept = await cache.match(request, { ignoreVary: true });
  if (kept) return kept;
  const response = await fetch(request);
  if (response.ok && response.type === 'basic') await cache.put(request, response.clone());
  return response;
}
