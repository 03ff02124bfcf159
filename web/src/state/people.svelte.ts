// Who others are: names, records and profiles, remembered, followed and looked up anew.
import type { NatsConnection } from '@nats-io/nats-core';
import { SvelteMap } from 'svelte/reactivity';
import { canonicalText } from '../crypto/canonical.ts';
import { parseFullHandle, parseHandle } from '../crypto/handle.ts';
import { isObject, type Json } from '../crypto/json.ts';
import { parseEd25519 } from '../crypto/primary.ts';
import { checkProfile, type Profile } from '../crypto/profile.ts';
import { BY_PRIMARY, LOOKUP, PROFILE, paths, type Record as Registered } from '../nats/contract.ts';
import { followProfiles } from '../nats/facts.ts';
import type { Http } from '../nats/http.ts';
import { Refusal } from '../nats/refusal.ts';
import type { Clock } from './clock.svelte.ts';
import type { Connection } from './connection.svelte.ts';
import { pictureNote } from './picture-notes.ts';
import { codeOf } from './refusal.ts';
import type { News, Unlocked } from './unlocked.ts';

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
  /** When that profile was signed, in seconds: an older one is never believed. null while none is known. */
  profileAt: number | null;
}

/** A person as they are kept, and when they were looked up, in milliseconds. */
interface KeptPerson {
  person: Person;
  at: number;
}

/** Something that can be seen: no control, no space, no mark without a letter, none of the letters that are drawn as nothing. */
const VISIBLE = /[^\p{C}\p{Z}\p{M}\u115F\u1160\u2800\u3164\uFFA0]/u;

/** What was looked up longer ago is looked up again when it is asked for, in milliseconds. */
const FRESH = 6 * 60 * 60 * 1000;
/** Who is looked at more closely is looked up when it was longer ago than this. */
const CLOSELY = 60 * 1000;

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
  #tell: (news: News) => void = () => undefined;

  constructor(connection: Connection, http: Http, clock: Clock) {
    this.#connection = connection;
    this.#http = http;
    this.#clock = clock;
  }

  async unlocked(account: Unlocked, tell: (news: News) => void): Promise<void> {
    this.#account = account;
    this.#tell = tell;
    for (const kept of (await account.mailbox.notes('person:')).values()) {
      const { person, at } = kept as KeptPerson;
      this.#known.set(person.primary, { ...stranger(person.primary), ...person });
      this.#asked.set(person.primary, at);
    }
  }

  locked(): void {
    this.#account = undefined;
    this.#tell = () => undefined;
    this.#line = Promise.resolve();
    this.#known.clear();
    this.#asked.clear();
    this.#unanswered.clear();
  }

  /** Follows new profiles of those who are known, on a new client. */
  attach(client: NatsConnection): void {
    followProfiles(
      client,
      (primary) => this.#known.has(primary),
      (primary, updatedAt) => {
        if (isNewer(updatedAt, this.#known.get(primary))) this.#lookUpInLine(primary);
      },
    );
  }

  /** Another tab has learnt something. */
  async hear(news: News): Promise<void> {
    const mailbox = this.#account?.mailbox;
    if (news.kind !== 'face' || !mailbox) return;
    const kept = (await mailbox.note(await mailbox.noteAbout('person', news.primary))) as
      KeptPerson | undefined;
    const known = this.#known.get(news.primary);
    if (kept && isNewer(kept.person.profileAt, known)) this.#known.set(news.primary, kept.person);
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
    const name = displayName !== null && VISIBLE.test(displayName) ? displayName : handle;
    return name ?? `${primary.replace(/^ed25519:/, '').slice(0, 8)}…`;
  }

  /** The person behind `alice`, `alice@server` or a key. `not_found`, `wrong_server`, `invalid_handle`, `unavailable`. */
  async find(who: string): Promise<Person> {
    const text = who.trim().replace(/^@/, '');
    const account = this.#account;
    if (text.includes(':')) {
      const primary = parseEd25519(text);
      return this.refresh(primary).catch((error) =>
        this.#inList(error, account, this.#known.get(primary) ?? stranger(primary)),
      );
    }
    const handle = localHandle(text.toLowerCase(), account?.server ?? '');
    try {
      return await this.#complete(account, await this.#byHandle(handle), undefined);
    } catch (error) {
      const known = [...this.#known.values()].filter((person) => person.handle === handle);
      return this.#inList(error, account, ...known);
    }
  }

  /** While the server is away, the only one of these who has a chat; else what went wrong. */
  async #inList(error: unknown, account: Unlocked | undefined, ...known: readonly Person[]): Promise<Person> {
    if (codeOf(error) !== 'unavailable' || !account || this.#account !== account) throw error;
    const chats = await Promise.all(known.map(({ primary }) => account.mailbox.chat(primary)));
    const [found, other] = known.filter((_, place) => chats[place]);
    if (!found || other) throw error;
    return found;
  }

  /** Looks somebody up anew. */
  async refresh(primary: string): Promise<Person> {
    const account = this.#account;
    this.#asked.set(primary, this.#clock.now());
    return this.#complete(account, await this.#byPrimary(primary), primary);
  }

  /** The same with the newest profile, or an error: nobody writes anew over what they could not read. */
  async refreshWithProfile(primary: string): Promise<Person> {
    const { handle } = await this.refresh(primary);
    const profile = handle === null ? undefined : await this.#askProfile(handle, primary);
    if (profile) await this.learn(profile);
    return this.#known.get(primary) ?? stranger(primary);
  }

  /** Somebody is looked at: what they say of themselves may have changed. */
  look(primary: string): void {
    this.#lookUpIfOld(primary, CLOSELY);
  }

  /** Takes in a profile whose signature holds, unless a newer one is known. */
  async learn(profile: Profile): Promise<void> {
    await this.#keep(this.#account, this.#known.get(profile.primary) ?? stranger(profile.primary), profile);
  }

  #lookUpIfOld(primary: string, fresh = FRESH): void {
    const at = this.#asked.get(primary) ?? 0;
    if (this.#clock.now() - at < fresh || !this.#account) return;
    this.#asked.set(primary, this.#clock.now());
    this.#lookUpInLine(primary);
  }

  /** Whoever asks may be drawing the page: nothing changes under their hands. And a long list asks for many at once. */
  #lookUpInLine(primary: string): void {
    const account = this.#account;
    this.#line = this.#line.then(() => this.#lookUp(account, primary));
  }

  async #lookUp(account: Unlocked | undefined, primary: string): Promise<void> {
    // Nobody asks for the contacts of another account.
    if (!account || this.#account !== account) return;
    this.#unanswered.delete(primary);
    try {
      await this.refresh(primary);
    } catch (error) {
      if (codeOf(error) !== 'unavailable' || this.#account !== account) return;
      this.#asked.delete(primary);
      this.#unanswered.add(primary);
    }
  }

  /** A record that is sound in itself, with what its owner says in their profile. */
  async #complete(
    account: Unlocked | undefined,
    record: Registered,
    primary: string | undefined,
  ): Promise<Person> {
    const { handle, fqhn, registered_at: registeredAt } = record;
    const server = account?.server ?? fqhn.slice(handle.length + 1);
    const isSound = fqhn === `${handle}@${server}` && (primary ?? record.primary) === record.primary;
    if (!isSound) throw new Refusal('internal', 'the server answered with a broken record');
    const profile = await this.#profile(handle, record.primary);
    const known = this.#known.get(record.primary) ?? stranger(record.primary);
    return this.#keep(account, { ...known, handle, fullHandle: fqhn, registeredAt }, profile);
  }

  /** Remembers somebody for the account that asked, and what a profile says unless a newer one is known. */
  async #keep(account: Unlocked | undefined, person: Person, profile: Profile | undefined): Promise<Person> {
    if (this.#account !== account) throw new Refusal('locked');
    const { primary } = person;
    const isNews = profile !== undefined && isNewer(profile.updatedAt, person);
    const now = isNews ? { ...person, ...wordsOf(profile) } : person;
    this.#known.set(primary, now);
    this.#asked.set(primary, this.#clock.now());
    const mailbox = account?.mailbox;
    if (!mailbox) return now;
    const kept: KeptPerson = { person: now, at: this.#clock.now() };
    const picture = isNews ? { [await pictureNote(mailbox, primary)]: profile.picture } : {};
    await mailbox.commit({ notes: { [await mailbox.noteAbout('person', primary)]: kept, ...picture } });
    if (isNews) this.#tell({ kind: 'face', primary });
    return now;
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

  /** Only what its owner has signed; none while it cannot be had, or is broken. */
  async #profile(handle: string, primary: string): Promise<Profile | undefined> {
    if (!this.#connection.isLive) return undefined;
    return this.#askProfile(handle, primary).catch(() => undefined);
  }

  /** None if they have put none. */
  async #askProfile(handle: string, primary: string): Promise<Profile | undefined> {
    let envelope: Json;
    try {
      ({ envelope } = await this.#connection.calls.call(PROFILE, { handle }));
    } catch (error) {
      if (codeOf(error) === 'not_found') return undefined;
      throw error;
    }
    const profile = await checkProfile(canonicalText(envelope), this.#clock.seconds());
    if (profile.primary !== primary) throw new Refusal('internal');
    return profile;
  }
}

function isNewer(profileAt: number | null | undefined, known: Person | undefined): boolean {
  return (profileAt ?? -Infinity) > (known?.profileAt ?? -Infinity);
}

function wordsOf({ displayName, about, updatedAt }: Profile) {
  return {
    displayName: displayName?.trim() || null,
    about: about?.trim() || null,
    profileAt: updatedAt,
  };
}

/** The handle of somebody at this server. */
export function localHandle(text: string, server: string): string {
  if (!text.includes('@')) return parseHandle(text);
  const full = parseFullHandle(text);
  if (full.server !== server) throw new Refusal('wrong_server');
  return full.handle;
}

function stranger(primary: string): Person {
  const nothing = { handle: null, fullHandle: null, registeredAt: null, displayName: null, about: null };
  return { primary, ...nothing, profileAt: null };
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
