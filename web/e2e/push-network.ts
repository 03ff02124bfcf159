// The part of the push network: what a browser's `pushManager` gives, and what the server was told of it.
import type { BrowserContext, Page } from '@playwright/test';
import { recover } from '../src/crypto/phrase.ts';
import { signRequest } from '../src/crypto/request-auth.ts';
import { paths } from '../src/nats/contract.ts';
import { expect, type BrowserPerson } from './story.ts';

/** Where the story's subscription is kept: over reloads, as a browser keeps its own. */
const KEPT = 'story.push';

/** Gives a browser the right to notify, and a push network at that address. Before any page of it is opened. */
export async function givePush(
  context: BrowserContext,
  origin: string,
  address = 'https://push.example.org',
): Promise<void> {
  await context.grantPermissions(['notifications', 'clipboard-read', 'clipboard-write'], { origin });
  await context.addInitScript(playPushNetwork, { kept: KEPT, address });
}

/** The push network has ended the browser's subscription. */
export async function loseSubscription(page: Page): Promise<void> {
  await page.evaluate((kept) => localStorage.removeItem(kept), KEPT);
}

/** The endpoint that the browser has, if it has one. */
export async function endpointOf(page: Page): Promise<string | undefined> {
  const kept = await page.evaluate((kept) => localStorage.getItem(kept), KEPT);
  return kept === null ? undefined : (JSON.parse(kept) as { endpoint: string }).endpoint;
}

/** What the server knows of somebody's browsers, asked over HTTP with the identity's own key. */
export class Registered {
  readonly #origin: string;
  readonly #person: BrowserPerson;

  constructor(person: BrowserPerson, origin: string) {
    this.#person = person;
    this.#origin = origin;
  }

  async endpoints(): Promise<string[]> {
    const path = paths.pushSubscriptions(this.#person.handle);
    const found = await this.#ask('GET', path, `GET\n${path}`);
    return (found as { subscriptions: { endpoint: string }[] }).subscriptions.map(({ endpoint }) => endpoint);
  }

  /** The server forgets a subscription. */
  async forget(endpoint: string): Promise<void> {
    const path = paths.pushUnsubscribe(this.#person.handle);
    await this.#ask('POST', path, `POST\n${path}\n${endpoint}`, JSON.stringify({ endpoint }));
  }

  async #ask(method: string, path: string, signed: string, body?: string): Promise<unknown> {
    const { key } = recover(this.#person.words.join(' '));
    const auth = await signRequest(signed, Date.now() / 1000, key);
    const headers = { 'x-kez-auth': auth, 'content-type': 'application/json' };
    const answer = await fetch(`${this.#origin}${path}`, { method, headers, ...(body ? { body } : {}) });
    expect(answer.status, await answer.clone().text()).toBe(200);
    return answer.json();
  }
}

/** Runs in the page: what a browser does for `pushManager`, without a network behind it. */
function playPushNetwork({ kept, address }: { kept: string; address: string }): void {
  interface Kept {
    endpoint: string;
    key: number[];
    keys: { p256dh: string; auth: string };
  }
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
      endpoint: `${address}/${crypto.randomUUID()}`,
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
    const given = JSON.parse(localStorage.getItem(kept) ?? 'null') as Kept | null;
    return given && subscription(given);
  };
  Object.assign(PushManager.prototype, { subscribe, getSubscription });
}
