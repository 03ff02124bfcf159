// The page itself: the offline shell, and a newer version that waits.
import { serviceWorkerUrl } from '../trusted-urls.ts';

/** A newer version is looked for so often, in milliseconds. */
const LOOK_EVERY = 60 * 60 * 1000;

export class Update {
  /** A newer version is here and waits for a reload. */
  isWaiting = $state(false);
  #waiting: ServiceWorker | null = null;

  /** Registers the service worker and looks for newer versions. */
  async start(): Promise<void> {
    if (import.meta.env.DEV || !('serviceWorker' in navigator)) return;
    try {
      const registration = await navigator.serviceWorker.register(serviceWorkerUrl());
      registration.addEventListener('updatefound', () => this.#watch(registration.installing));
      this.#found(registration.waiting);
      this.#watch(registration.installing);
      setInterval(() => void registration.update().catch(() => undefined), LOOK_EVERY);
    } catch {
      // Without a service worker the page works, but not offline.
    }
  }

  /** Takes the newer version and reloads the page. */
  async apply(): Promise<void> {
    const taken = new Promise((resolve) =>
      navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true }),
    );
    this.#waiting?.postMessage('take over');
    if (this.#waiting) await taken;
    location.reload();
  }

  #watch(worker: ServiceWorker | null): void {
    worker?.addEventListener('statechange', () => {
      if (worker.state === 'installed') this.#found(worker);
    });
  }

  /** The first version of all is no update. */
  #found(worker: ServiceWorker | null): void {
    if (!worker || !navigator.serviceWorker.controller) return;
    this.#waiting = worker;
    this.isWaiting = true;
  }
}
