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
      registration.addEventListener('updatefound', () => this.#watch(registration));
      this.#find(registration);
      this.#watch(registration);
      setInterval(() => void registration.update().catch(() => undefined), LOOK_EVERY);
    } catch {
      // Without a service worker the page works, but not offline.
    }
  }

  /** Takes the newer version and reloads the page. */
  async apply(): Promise<void> {
    const waiting = this.#waiting;
    // Another tab may have taken it already.
    if (waiting?.state === 'installed') {
      const taken = new Promise((resolve) =>
        navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true }),
      );
      waiting.postMessage('take over');
      await taken;
    }
    location.reload();
  }

  #watch(registration: ServiceWorkerRegistration): void {
    registration.installing?.addEventListener('statechange', () => this.#find(registration));
  }

  /** The first version of all is no update: it waits for nobody. */
  #find({ active, waiting }: ServiceWorkerRegistration): void {
    if (!active || !waiting) return;
    this.#waiting = waiting;
    this.isWaiting = true;
  }
}
