// My own profile: a name, a few words and a picture, signed by the identity's key and put where everybody finds them.
import type { Bytes } from '../crypto/bytes.ts';
import type { Json, JsonObject } from '../crypto/json.ts';
import type { SecretKey } from '../crypto/keys.ts';
import { pictureHash, pictureValue, sealPicture } from '../crypto/picture.ts';
import type { PictureType } from '../crypto/picture-limits.ts';
import { createProfile, type ProfileContent } from '../crypto/profile.ts';
import { seal } from '../crypto/sealed.ts';
import { Verbatim } from '../nats/calls.ts';
import { PUT_PROFILE } from '../nats/contract.ts';
import { Refusal } from '../nats/refusal.ts';
import type { Clock } from './clock.svelte.ts';
import type { Connection } from './connection.svelte.ts';
import type { Faces } from './faces.svelte.ts';
import { newId } from './letters.ts';
import type { People } from './people.svelte.ts';
import { keptPicture } from './picture-notes.ts';
import type { Unlocked } from './unlocked.ts';

/** An image as it is published: a square of 256 pixels, small, with nothing in it but its pixels. */
export interface Drawn {
  image: Bytes;
  type: PictureType;
  /** What strangers may see: the same pixels, fewer and shuffled by the key and the salt. */
  preview: string;
}

/** Makes that of a file; `not_a_picture`, `picture_too_large`. */
export type Draw = (file: Blob, key: Bytes, salt: Bytes) => Promise<Drawn>;

export interface ProfileTerms {
  people: People;
  faces: Faces;
  connection: Connection;
  clock: Clock;
  draw: Draw;
}

/** Every method that fails throws an error of which `codeOf` gives the code; `needs_passphrase` without the identity's key. */
export class Profile {
  readonly #terms: ProfileTerms;
  #account: Unlocked | undefined;
  #pictureChanged: (picture: string) => Promise<void> = async () => undefined;

  constructor(terms: ProfileTerms) {
    this.#terms = terms;
  }

  /** `pictureChanged` has contacts given the key. */
  unlocked(account: Unlocked, pictureChanged: (picture: string) => Promise<void>): void {
    this.#account = account;
    this.#pictureChanged = pictureChanged;
  }

  locked(): void {
    this.#account = undefined;
    this.#pictureChanged = async () => undefined;
  }

  async putWords(words: { displayName: string; about: string }): Promise<void> {
    await this.#put(() => ({
      displayName: words.displayName.trim() || undefined,
      about: words.about.trim() || undefined,
    }));
  }

  /** Encrypts a picture under a key of its own, publishes it, and has that key sent to contacts. */
  async putPicture(file: Blob): Promise<void> {
    const identity = this.#unlocked().identityKey();
    const [key, salt, nonce] = [random(32), random(16), random(12)];
    const { image, type, preview } = await this.#terms.draw(file, key, salt);
    const ct = await sealPicture(image, identity.primary, { key, nonce });
    const own = await this.#sealToMyself(key, ct, identity);
    const { mine } = this.#terms.faces;
    const showsPreview = mine === null || mine.preview !== undefined;
    const picture = pictureValue({ type, nonce, ct, own, preview: showsPreview ? preview : undefined });
    await this.#put(() => ({ picture }));
    await this.#pictureChanged(pictureHash(ct));
  }

  async removePicture(): Promise<void> {
    await this.#put(() => ({ picture: undefined }));
  }

  /** Whether strangers see a shuffled preview of the picture, or the identicon. */
  async showPreview(isShown: boolean): Promise<void> {
    this.#unlocked().identityKey();
    const { mine } = this.#terms.faces;
    if (!mine) throw new Refusal('not_found');
    const { image, type, key } = mine;
    const drawn = isShown && (await this.#terms.draw(new Blob([image], { type }), key.slice(), random(16)));
    await this.#put(({ picture }) => ({ picture: withPreview(picture, drawn ? drawn.preview : undefined) }));
  }

  /** Signs and publishes what the newest profile becomes by a change. */
  async #put(change: (now: ProfileContent) => Partial<ProfileContent>): Promise<void> {
    const account = this.#unlocked();
    const identity = account.identityKey();
    const { people, faces, connection, clock } = this.#terms;
    // Another device may have changed it.
    const { displayName, about, profileAt } = await people.refreshWithProfile(account.primary);
    const now = {
      displayName: displayName ?? undefined,
      about: about ?? undefined,
      picture: await keptPicture(account.mailbox, account.primary),
      updatedAt: Math.max(clock.seconds(), (profileAt ?? 0) + 1),
    };
    const content = { ...now, ...change(now) };
    const envelope = await createProfile(content, identity);
    await connection.calls.call(PUT_PROFILE, { envelope: new Verbatim(envelope) });
    await people.learn({ primary: account.primary, ...content });
    await faces.refresh(account.primary);
  }

  async #sealToMyself(key: Bytes, ct: Bytes, identity: SecretKey) {
    const { primary } = identity;
    const body = { kind: 'picture_key', key, picture: pictureHash(ct) } as const;
    const sentAt = this.#terms.clock.seconds();
    const message = { id: newId(), primary, device: undefined, to: primary, sentAt, body };
    return seal(message, identity, random(32));
  }

  #unlocked(): Unlocked {
    if (!this.#account) throw new Refusal('locked');
    return this.#account;
  }
}

/** The same picture, with what newer versions have put into it. */
function withPreview(picture: Json | undefined, preview: string | undefined): Json | undefined {
  if (picture === undefined) return undefined;
  const { preview: _, ...rest } = picture as JsonObject;
  return preview === undefined ? rest : { ...rest, preview };
}

function random(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length));
}
