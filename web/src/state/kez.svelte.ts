// The whole state of the page, put together once: what pages import.
import { Account } from './account.svelte.ts';
import { Archive } from './archive.svelte.ts';
import { Chains } from './chains.svelte.ts';
import { Chats } from './chats.svelte.ts';
import { Claims } from './claims.svelte.ts';
import { Clock } from './clock.svelte.ts';
import { Connection } from './connection.svelte.ts';
import { Health } from './health.svelte.ts';
import { People } from './people.svelte.ts';
import { Search } from './search.svelte.ts';
import { Settings } from './settings.svelte.ts';
import { Update } from './update.svelte.ts';

export class Kez {
  readonly settings = new Settings();
  readonly clock = new Clock();
  readonly health = new Health();
  readonly update = new Update();
  readonly connection = new Connection();
  readonly people = new People();
  readonly chains = new Chains();
  readonly claims = new Claims();
  readonly chats = new Chats();
  readonly search = new Search();
  readonly archive = new Archive();
  readonly account = new Account();
}

/** The one of this page. */
export const kez = new Kez();
