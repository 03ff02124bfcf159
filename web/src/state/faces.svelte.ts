// How people look: the picture that somebody has given me the key of, else the preview that they show to everybody. Both come out
// of profiles that others have signed, so they are hostile: nothing is decoded but by an <img>, and only in its exact form.
import { SvelteMap } from 'svelte/reactivity';
import type { Bytes } from '../crypto/bytes.ts';
import { imageHeader } from '../crypto/image-header.ts';
import { openOwnKey, openPicture, pictureHash, readPicture, type Picture } from '../crypto/picture.ts';
import { PICTURE_SIZE } from '../crypto/picture-limits.ts';
import { parseEd25519 } from '../crypto/primary.ts';
import { keptKeys, keptPicture, type PictureKey } from './picture-notes.ts';
import type { News, Unlocked } from './unlocked.ts';

/** A face, for an `<img>`. */
export interface Face {
  url: string;
  /** Whether it is what strangers see. */
  isPreview: boolean;
}

/** My own picture, opened. */
export interface OwnPicture extends PictureKey {
  type: Picture['type'];
  image: Bytes;
  /** What strangers see of it; none when they see the identicon. */
  preview: string | undefined;
}

export class Faces {
  /** My own; null while I have none. */
  mine = $state.raw<OwnPicture | null>(null);

  readonly #shown = new SvelteMap<string, Face>();
  /** How often each was read from storage: of two that read at once the later one counts. */
  readonly #reads = new Map<string, number>();
  #account: Unlocked | undefined;

  async unlocked(account: Unlocked): Promise<void> {
    this.#account = account;
    await this.refresh(account.primary);
  }

  /** Nothing of any face stays in memory. */
  locked(): void {
    this.#account = undefined;
    for (const face of this.#shown.values()) drop(face);
    this.#shown.clear();
    this.#reads.clear();
    this.mine?.key.fill(0);
    this.mine = null;
  }

  /** Somebody's face; null for those who have none, and until it was read. Reactive. */
  of(primary: string): Face | null {
    const face = this.#shown.get(primary) ?? null;
    if (!this.#reads.has(primary)) void this.refresh(primary);
    return face;
  }

  /** A profile or a key has come, here or in another tab. */
  hear(news: News): void {
    if (news.kind !== 'face') return;
    if (this.#reads.has(news.primary)) void this.refresh(news.primary);
  }

  /** Reads somebody's face from storage. */
  async refresh(primary: string): Promise<void> {
    const account = this.#account;
    const read = (this.#reads.get(primary) ?? 0) + 1;
    this.#reads.set(primary, read);
    if (!account) return;
    const found = await find(account, primary).catch(() => undefined);
    if (this.#account !== account || this.#reads.get(primary) !== read) return;
    if (primary === account.primary) this.mine = found?.own ?? null;
    this.#show(primary, found && faceOf(found));
  }

  #show(primary: string, face: Face | undefined): void {
    const before = this.#shown.get(primary);
    if (face) this.#shown.set(primary, face);
    else this.#shown.delete(primary);
    if (before) drop(before);
  }
}

/** What is here of somebody's picture. */
interface Found {
  picture: Picture;
  /** The image, if I have its key, and if it is what it says. */
  image: Bytes | undefined;
  own: OwnPicture | undefined;
}

async function find(account: Unlocked, primary: string): Promise<Found | undefined> {
  const { mailbox } = account;
  const kept = await keptPicture(mailbox, primary);
  if (kept === undefined) return undefined;
  const picture = readPicture(kept);
  const hash = pictureHash(picture.ct);
  const isMine = primary === account.primary;
  const key = isMine
    ? await openOwnKey(picture, account.opener).catch(() => undefined)
    : (await keptKeys(mailbox, primary)).find((one) => one.picture === hash)?.key;
  const image = key && (await openPicture(picture, parseEd25519(primary), key).catch(() => undefined));
  if (!image || !isOne(image, picture.type)) return { picture, image: undefined, own: undefined };
  const own = { picture: hash, key, type: picture.type, image, preview: picture.preview?.url };
  return { picture, image, own: isMine ? own : undefined };
}

/** A contact is a stranger to the decoder: a few bytes can ask it for gigabytes of pixels. */
function isOne(image: Bytes, type: Picture['type']): boolean {
  const header = imageHeader(image);
  return header?.type === type && header.width === PICTURE_SIZE && header.height === PICTURE_SIZE;
}

function faceOf({ picture, image }: Found): Face | undefined {
  if (image) return { url: URL.createObjectURL(new Blob([image], { type: picture.type })), isPreview: false };
  return picture.preview && { url: picture.preview.url, isPreview: true };
}

function drop({ url }: Face): void {
  if (url.startsWith('blob:')) URL.revokeObjectURL(url);
}
