// A browser whose page is closed: the pushes that come to it, and the notifications that it shows. No browser can subscribe to
// a push network from here, so its subscription is the story's own (push-network.ts); everything behind it is real.
import type { BrowserContext, CDPSession } from '@playwright/test';
import { expect, type BrowserPerson } from './story.ts';

/** A notification that stands on the screen. */
export interface Shown {
  tag: string;
  title: string;
  body: string;
}

/** What of a record a story looks at. */
interface Kept {
  handle: string;
  since: number;
  credential?: { key: CryptoKey };
}

/** What of a service worker's world a story uses. */
interface WorkerWorld {
  registration: ServiceWorkerRegistration;
  WindowClient: { prototype: object };
  dispatchEvent(event: Event): boolean;
  NotificationEvent: new (type: string, init: { notification: Notification }) => Event;
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

  /** Somebody's browser, whose service worker runs; their page stays open until it is closed. */
  static async of({ context }: BrowserPerson, origin: string): Promise<Sleeper> {
    const blank = await context.newPage();
    const session = await context.newCDPSession(blank);
    const registration = new Promise<string>((found) =>
      session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
        for (const one of registrations) if (one.scopeURL.startsWith(origin)) found(one.registrationId);
      }),
    );
    await session.send('ServiceWorker.enable');
    const sleeper = new Sleeper(session, await registration, origin, context);
    await sleeper.#takeTurns();
    return sleeper;
  }

  /** A push comes, as empty as all of Kez's are. */
  async push(): Promise<void> {
    await this.#session.send('ServiceWorker.deliverPushMessage', {
      origin: this.#origin,
      registrationId: this.#registration,
      data: '',
    });
  }

  /** What stands on the screen now. */
  async shown(): Promise<Shown[]> {
    return (await this.#worker()).evaluate(async () => {
      const { registration } = self as unknown as WorkerWorld;
      const notifications = await registration.getNotifications();
      return notifications.map(({ tag, title, body }) => ({ tag, title, body }));
    });
  }

  async expectShown(...expected: Partial<Shown>[]): Promise<void> {
    await expect.poll(() => this.shown()).toMatchObject(expected);
  }

  /** Every notification that was ever shown, also of those that have gone since `listen`. */
  async history(): Promise<string[]> {
    return (await this.#worker()).evaluate(() => (self as unknown as { story?: string[] }).story ?? []);
  }

  /** From now on `history` knows what was shown. */
  async listen(): Promise<void> {
    await (
      await this.#worker()
    ).evaluate(() => {
      const world = self as unknown as WorkerWorld & { story: string[] };
      const show = world.registration.showNotification.bind(world.registration);
      world.story = [];
      Object.assign(world.registration, {
        showNotification: (title: string, options: NotificationOptions & { silent?: boolean }) => {
          world.story.push(`${options.silent ? 'silently ' : ''}${title}: ${options.body}`);
          return show(title, options);
        },
      });
    });
  }

  /** From now on the service worker's questions over HTTP are answered by nobody until `answer`. */
  async hold(): Promise<void> {
    await (
      await this.#worker()
    ).evaluate(() => {
      const ask = fetch.bind(self);
      const world = self as unknown as { asked?: true; answer(): void };
      const held = new Promise<void>((answer) => (world.answer = answer));
      self.fetch = async (...given) => {
        world.asked = true;
        await held;
        return ask(...given);
      };
    });
  }

  /** Whether it has asked since. */
  async hasAsked(): Promise<boolean> {
    return (await this.#worker()).evaluate(() => 'asked' in self);
  }

  async answer(): Promise<void> {
    await (await this.#worker()).evaluate(() => (self as unknown as { answer(): void }).answer());
  }

  /** Nobody looks at any page: a browser without a screen shows all of them always. */
  async lookAway(): Promise<void> {
    await (
      await this.#worker()
    ).evaluate(() => {
      const { prototype } = (self as unknown as WorkerWorld).WindowClient;
      Object.defineProperty(prototype, 'visibilityState', { get: () => 'hidden' });
    });
  }

  /** Somebody clicks the only notification. */
  async click(): Promise<void> {
    await (
      await this.#worker()
    ).evaluate(async () => {
      const world = self as unknown as WorkerWorld;
      const [notification] = await world.registration.getNotifications();
      if (!notification) throw new Error('there is nothing to click');
      world.dispatchEvent(new world.NotificationEvent('notificationclick', { notification }));
    });
  }

  /** The browser has another push subscription. */
  async changeSubscription(): Promise<void> {
    await (
      await this.#worker()
    ).evaluate(() => {
      const world = self as unknown as WorkerWorld;
      // Of events that are not the browser's own nobody waits for the end.
      world.dispatchEvent(Object.assign(new Event('pushsubscriptionchange'), { waitUntil: () => undefined }));
    });
  }

  /** What the service worker was left for each account: secrets by their names, and how far a page has read. */
  async kept(): Promise<{ account: string; holds: string[]; showsKey: boolean; since: number }[]> {
    return (await this.#worker()).evaluate(async () => {
      const done = <Result>(request: IDBRequest<Result>) =>
        new Promise<Result>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error ?? new Error('no database'));
        });
      const database = await done(indexedDB.open('kez-wake'));
      const store = database.transaction('wakes').objectStore('wakes');
      const records = (await done(store.getAll())) as Kept[];
      database.close();
      return records.map((record) => ({
        account: record.handle,
        holds: Object.keys(record).filter((name) => ['credential', 'opening'].includes(name)),
        showsKey: record.credential?.key.extractable === true,
        since: record.since,
      }));
    });
  }

  /** One after the other: a notification that is shown while Chromium looks which ones stand may be lost to it. */
  async #takeTurns(): Promise<void> {
    await (
      await this.#worker()
    ).evaluate(() => {
      const { registration } = self as unknown as WorkerWorld;
      const show = registration.showNotification.bind(registration);
      const look = registration.getNotifications.bind(registration);
      let last: Promise<unknown> = Promise.resolve();
      const inTurn = <Result>(work: () => Promise<Result>) => {
        const turn = last.then(work, work);
        last = turn;
        return turn;
      };
      Object.assign(registration, {
        showNotification: (...given: Parameters<typeof show>) => inTurn(() => show(...given)),
        getNotifications: (...given: Parameters<typeof look>) => inTurn(() => look(...given)),
      });
    });
  }

  async #worker() {
    return this.#context.serviceWorkers()[0] ?? this.#context.waitForEvent('serviceworker');
  }
}
