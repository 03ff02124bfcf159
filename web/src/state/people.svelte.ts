// Who others are: names, records and profiles, remembered and looked up anew.
import { SvelteMap } from 'svelte/reactivity';
import { canonicalText } from '../crypto/canonical.ts';
import { parseFullHandle, parseHandle } from '../crypto/handle.ts';
import { isObject, type Json } from '../crypto/json.ts';
import { parseEd25519 } from '../crypto/primary.ts';
import { checkProfile, createProfile } from '../crypto/profile.ts';
import { Verbatim } from '../nats/calls.ts';
import {
  BY_PRIMARY,
  LOOKUP,
  PROFILE,
  PUT_PROFILE,
  paths,
  type Record as Registered,
} from '../nats/contract.ts';
import type { Http } from '../nats/http.ts';
import { Refusal } from '../nats/refusal.ts';
import type { Clock } from './clock.svelte.ts';
import type { Connection } from './connection.svelte.ts';
import { codeOf } from './refusal.ts';
import type { Unlocked } from './unlocked.ts';

/** What is known of somebody. */
export interface Person {
  /** `ed25519:<64 hex>`. */
  primary: string;
  /** null when the key is registered nowhere that we know. */
  handle: string | null;
  /** `handle@server`. */
  fullHandle: string | null;
  registeredAt: string | null;
  /** From the profile that this person has signed. Hostile: only ever text. */
  displayName: string | null;
  about: string | null;
}

/** A person as they are kept, and when they were looked up, in milliseconds. */
interface KeptPerson {
  person: Person;
  at: number;
}

/** What was looked up longer ago is looked up again when it is asked for, in milliseconds. */
const FRESH = 60 * 60 * 1000;

export class People {
  readonly #known = new SvelteMap<string, Person>();
  /** When each was looked up, or that they are being looked up. */
  readonly #asked = new Map<string, number>();
  /** Who is asked for again when there is a connection. */
  readonly #unanswered = new Set<string>();
  /** Look-ups in the background, one after the other. */
  #line: Promise<void> = Promise.resolve();
  readonly #connection: Connection;
  readonly #http: Http;
  readonly #clock: Clock;
  #account: Unlocked | undefined;

  constructor(connection: Connection, http: Http, clock: Clock) {
    this.#connection = connection;
    this.#http = http;
    this.#clock = clock;
  }

  async unlocked(account: Unlocked): Promise<void> {
    this.#account = account;
    for (const kept of (await account.mailbox.notes('person:')).values()) {
      const { person, at } = kept as KeptPerson;
      this.#known.set(person.primary, person);
      this.#asked.set(person.primary, at);
    }
  }

  locked(): void {
    this.#account = undefined;
    this.#known.clear();
    this.#asked.clear();
    this.#unanswered.clear();
  }

  /** Who could not be looked up is asked for again. */
  connected(): void {
    for (const primary of this.#asked.keys())
      if (!this.#known.get(primary)?.handle) this.#asked.delete(primary);
    for (const primary of this.#unanswered) this.#lookUpIfOld(primary);
  }

  /** What is known of somebody, at once; looked up in the background if that is not much. Reactive. */
  of(primary: string): Person {
    const known = this.#known.get(primary);
    this.#lookUpIfOld(primary);
    return known ?? stranger(primary);
  }

  /** What to call somebody: display name, else handle, else the beginning of the key. Reactive. */
  name(primary: string): string {
    const { displayName, handle } = this.of(primary);
    return displayName ?? handle ?? `${primary.replace(/^ed25519:/, '').slice(0, 8)}…`;
  }

  /** The person behind `alice`, `alice@server` or a key. `not_found`, `wrong_server`, `invalid_handle`, `unavailable`. */
  async find(who: string): Promise<Person> {
    const text = who.trim().replace(/^@/, '');
    if (text.includes(':')) return this.refresh(parseEd25519(text));
    const handle = localHandle(text.toLowerCase(), this.#account?.server ?? '');
    return this.#complete(await this.#byHandle(handle), undefined);
  }

  /** Looks somebody up anew. */
  async refresh(primary: string): Promise<Person> {
    this.#asked.set(primary, this.#clock.now());
    return this.#complete(await this.#byPrimary(primary), primary);
  }

  /** Signs and publishes my profile. `needs_passphrase` when the identity's key is not in memory. */
  async putProfile(profile: { displayName: string; about: string }): Promise<void> {
    const account = this.#account;
    if (!account) throw new Refusal('locked');
    const content = {
      displayName: profile.displayName.trim() || undefined,
      about: profile.about.trim() || undefined,
      updatedAt: this.#clock.seconds(),
    };
    const envelope = await createProfile(content, account.identityKey());
    await this.#connection.calls.call(PUT_PROFILE, { envelope: new Verbatim(envelope) });
    const known = this.of(account.primary);
    const { displayName = null, about = null } = content;
    await this.#keep({ ...known, displayName, about });
  }

  #lookUpIfOld(primary: string): void {
    const at = this.#asked.get(primary) ?? 0;
    if (this.#clock.now() - at < FRESH || !this.#account) return;
    this.#asked.set(primary, this.#clock.now());
    // Whoever asks may be drawing the page: nothing changes under their hands. And a long list asks for many at once.
    this.#line = this.#line.then(() => this.#lookUp(primary));
  }

  async #lookUp(primary: string): Promise<void> {
    this.#unanswered.delete(primary);
    try {
      if (this.#account) await this.refresh(primary);
    } catch (error) {
      if (codeOf(error) !== 'unavailable') return;
      this.#asked.delete(primary);
      this.#unanswered.add(primary);
    }
  }

  /** A record that is sound in itself, with what its owner says in their profile. */
  async #complete(record: Registered, primary: string | undefined): Promise<Person> {
    const { handle, fqhn, registered_at: registeredAt } = record;
    const server = this.#account?.server ?? fqhn.slice(handle.length + 1);
    const isSound = fqhn === `${handle}@${server}` && (primary ?? record.primary) === record.primary;
    if (!isSound) throw new Refusal('internal', 'the server answered with a broken record');
    const words = await this.#profile(handle, record.primary);
    const person = { primary: record.primary, handle, fullHandle: fqhn, registeredAt, ...words };
    await this.#keep(person);
    return person;
  }

  async #keep(person: Person): Promise<void> {
    this.#known.set(person.primary, person);
    this.#asked.set(person.primary, this.#clock.now());
    const mailbox = this.#account?.mailbox;
    const kept: KeptPerson = { person, at: this.#clock.now() };
    if (mailbox)
      await mailbox.commit({ notes: { [await mailbox.noteAbout('person', person.primary)]: kept } });
  }

  async #byHandle(handle: string): Promise<Registered> {
    if (this.#connection.isLive)
      return checked(await this.#connection.calls.call(LOOKUP, { handle }), handle);
    return checked((await this.#http.get(paths.user(handle))) as unknown as Registered, handle);
  }

  async #byPrimary(primary: string): Promise<Registered> {
    if (this.#connection.isLive) return checked(await this.#connection.calls.call(BY_PRIMARY, { primary }));
    return checked((await this.#http.get(paths.byPrimary(primary))) as unknown as Registered);
  }

  /** Only what its owner has signed; without a profile, or with a broken one, nothing. */
  async #profile(handle: string, primary: string): Promise<Pick<Person, 'displayName' | 'about'>> {
    const nothing = { displayName: null, about: null };
    if (!this.#connection.isLive) return this.#known.get(primary) ?? nothing;
    try {
      const { envelope } = await this.#connection.calls.call(PROFILE, { handle });
      const profile = await checkProfile(canonicalText(envelope), this.#clock.seconds());
      if (profile.primary !== primary) return nothing;
      return { displayName: profile.displayName?.trim() || null, about: profile.about?.trim() || null };
    } catch (error) {
      return codeOf(error) === 'unavailable' ? (this.#known.get(primary) ?? nothing) : nothing;
    }
  }
}

/** The handle of somebody at this server. */
export function localHandle(text: string, server: string): string {
  if (!text.includes('@')) return parseHandle(text);
  const full = parseFullHandle(text);
  if (full.server !== server) throw new Refusal('wrong_server');
  return full.handle;
}

function stranger(primary: string): Person {
  return { primary, handle: null, fullHandle: null, registeredAt: null, displayName: null, about: null };
}

/** The server's answer, as far as it has the form of a record, and of that handle if one was asked for. */
function checked(record: Registered, handle?: string): Registered {
  const value = record as unknown as Json;
  const isRecord =
    isObject(value) &&
    ['handle', 'fqhn', 'primary', 'registered_at'].every((name) => typeof value[name] === 'string');
  if (!isRecord || (handle ?? record.handle) !== record.handle) throw new Refusal('internal');
  parseHandle(record.handle);
  parseEd25519(record.primary);
  return record;
}
