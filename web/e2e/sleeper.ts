// A browser whose page is closed: its push subscription, the pushes that come to it, and the notifications that it shows. No
// browser can subscribe to a push network from here, so the subscription is one of the story's; everything behind it is real.
import type { BrowserContext, CDPSession, Page } from '@playwright/test';
import { expect, type BrowserPerson } from './story.ts';

/** A notification that stands on the screen. */
export interface Shown {
  tag: string;
  title: string;
  body: string;
}

/** Where the story's subscription is kept: over reloads, as a browser keeps its own. */
const KEPT = 'story.push';

/** Gives a browser the right to notify, and a push network. Before any page of it is opened. */
export async function givePush(context: BrowserContext, origin: string): Promise<void> {
  await context.grantPermissions(['notifications', 'clipboard-read', 'clipboard-write'], { origin });
  await context.addInitScript(playPushNetwork, KEPT);
}

/** The browser has lost its subscription, as when the push network has ended it. */
export async function loseSubscription(page: Page): Promise<void> {
  await page.evaluate((kept) => localStorage.removeItem(kept), KEPT);
}

/** The endpoint that the browser has, if it has one. */
export async function endpointOf(page: Page): Promise<string | undefined> {
  const kept = await page.evaluate((kept) => localStorage.getItem(kept), KEPT);
  return kept === null ? undefined : (JSON.parse(kept) as { endpoint: string }).endpoint;
}

export class Sleeper {
  readonly #session: CDPSession;
  readonly #registration: string;
  readonly #origin: string;
  readonly #context: BrowserContext;

  private constructor(session: CDPSession, registration: string, origin: string, context: BrowserContext) {
    this.#session = session;
    this.#registration = registration;
    this.#origin = origin;
    this.#context = context;
  }

  /** Closes somebody's page. */
  static async of(person: BrowserPerson, origin: string): Promise<Sleeper> {
    const { context } = person;
    const blank = await context.newPage();
    const session = await context.newCDPSession(blank);
    const registration = new Promise<string>((found) =>
      session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
        for (const one of registrations) if (one.scopeURL.startsWith(origin)) found(one.registrationId);
      }),
    );
    await session.send('ServiceWorker.enable');
    return new Sleeper(session, await registration, origin, context);
  }

  /** A push comes, as empty as all of Kez's are; when this returns the service worker has it. */
  async push(): Promise<void> {
    await this.#session.send('ServiceWorker.deliverPushMessage', {
      origin: this.#origin,
      registrationId: this.#registration,
      data: '',
    });
  }

  /** What stands on the screen now. */
  async shown(): Promise<Shown[]> {
    const worker = this.#context.serviceWorkers()[0] ?? (await this.#context.waitForEvent('serviceworker'));
    return worker.evaluate(async () => {
      const { registration } = self as unknown as ServiceWorkerGlobalScopeLike;
      const notifications = await registration.getNotifications();
      return notifications.map(({ tag, title, body }) => ({ tag, title, body }));
    });
  }

  async expectShown(
    ...expected: (Partial<Shown> | ReturnType<typeof expect.objectContaining>)[]
  ): Promise<void> {
    await expect.poll(() => this.shown()).toMatchObject(expected);
  }
}

interface ServiceWorkerGlobalScopeLike {
  registration: ServiceWorkerRegistration;
}

/** Runs in the page: what a browser does for `pushManager`, without a network behind it. */
function playPushNetwork(kept: string): void {
  interface Kept {
    endpoint: string;
    key: number[];
    keys: { p256dh: string; auth: string };
  }
  const read = () => JSON.parse(localStorage.getItem(kept) ?? 'null') as Kept | null;
  const base64url = (bytes: ArrayBuffer | Uint8Array) =>
    btoa(String.fromCharCode(...new Uint8Array(bytes)))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replaceAll('=', '');
  const subscription = ({ endpoint, key, keys }: Kept) => ({
    endpoint,
    options: { userVisibleOnly: true, applicationServerKey: Uint8Array.from(key).buffer },
    toJSON: () => ({ endpoint, expirationTime: null, keys }),
    unsubscribe: async () => {
      localStorage.removeItem(kept);
      return true;
    },
  });
  const subscribe = async ({ applicationServerKey }: { applicationServerKey: Uint8Array }) => {
    const pair = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits']);
    const given: Kept = {
      endpoint: `https://push.example.org/${crypto.randomUUID()}`,
      key: [...applicationServerKey],
      keys: {
        p256dh: base64url(await crypto.subtle.exportKey('raw', pair.publicKey)),
        auth: base64url(crypto.getRandomValues(new Uint8Array(16))),
      },
    };
    localStorage.setItem(kept, JSON.stringify(given));
    return subscription(given);
  };
  const getSubscription = async () => {
    const given = read();
    return given && subscription(given);
  };
  Object.assign(PushManager.prototype, { subscribe, getSubscription });
}
