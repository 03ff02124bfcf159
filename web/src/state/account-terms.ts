// What accounts need of the page around them.
import type { Http } from '../nats/http.ts';
import type { MarkerStore } from '../storage/presence.ts';
import type { Tasks } from '../workers/tasks.ts';
import type { Clock } from './clock.svelte.ts';
import type { Health } from './health.svelte.ts';
import type { Settings } from './settings.svelte.ts';
import type { News, Unlocked } from './unlocked.ts';

export interface AccountTerms {
  http: Http;
  work: Tasks & { stop?(): void };
  settings: Settings;
  clock: Clock;
  health: Health;
  /** localStorage: nothing in it is secret. */
  markers: MarkerStore | undefined;
  databaseName?: string;
  /** An account is unlocked: whatever belongs to it begins. */
  begin(account: Unlocked): Promise<void>;
  /** It begins to sign, once this browser has a key of its own or knows that it has none. */
  connect(account: Unlocked): Promise<void>;
  /** It is to be locked: whatever belongs to it is wiped at once, and does nothing to another one when this returns. */
  end(): Promise<void>;
  /** Nothing that has ended writes or is connected any more: the network may keep that waiting. */
  left(): Promise<unknown>;
  /** An account was locked, in this tab: nothing that opens its mail stays in this browser. */
  sessionEnded(primary: string): Promise<void>;
  /** It is about to be removed from this browser. */
  forgetting(primary: string): Promise<void>;
  /** Another tab has changed something. */
  heard(news: News): void;
}
