// What is kept of pictures, each in an encrypted note of its own: somebody's picture as their profile has it, the keys that
// somebody has sent, and to whom I have sent mine.
import { fromBase64url, toBase64url, type Bytes } from '../crypto/bytes.ts';
import type { Json } from '../crypto/json.ts';
import { openOwnKey, pictureHash, readPicture } from '../crypto/picture.ts';
import type { Mailbox } from '../storage/mailbox.ts';
import type { Unlocked } from './unlocked.ts';

/** The key of one picture of somebody's. */
export interface PictureKey {
  /** Hex SHA-256 of the ciphertext that it opens. */
  picture: string;
  key: Bytes;
}

/** Keys that are kept of one person: a key may come before the profile that it belongs to, and nobody may fill the disk. */
const KEYS = 4;

/** The picture in somebody's newest profile. */
export async function keptPicture(mailbox: Mailbox, primary: string): Promise<Json | undefined> {
  return (await mailbox.note(await pictureNote(mailbox, primary))) as Json | undefined;
}

export function pictureNote(mailbox: Mailbox, primary: string): Promise<string> {
  return mailbox.noteAbout('picture', primary);
}

/** The key of my own picture, as my newest profile has it. */
export async function ownKey(account: Unlocked): Promise<PictureKey | undefined> {
  const kept = await keptPicture(account.mailbox, account.primary);
  if (kept === undefined) return undefined;
  try {
    const picture = readPicture(kept);
    return { picture: pictureHash(picture.ct), key: await openOwnKey(picture, account.opener) };
  } catch {
    // A profile that shows the picture of somebody else.
    return undefined;
  }
}

/** The keys that somebody has sent, the newest first. */
export async function keptKeys(mailbox: Mailbox, primary: string): Promise<PictureKey[]> {
  const kept = (await mailbox.note(await keysNote(mailbox, primary))) as KeptKey[] | undefined;
  return (kept ?? []).map(({ picture, key }) => ({ picture, key: fromBase64url(key) }));
}

/** The note after these have come too. */
export async function withKeys(
  mailbox: Mailbox,
  primary: string,
  fresh: readonly PictureKey[],
): Promise<Record<string, unknown>> {
  const all = [...fresh.toReversed(), ...(await keptKeys(mailbox, primary))];
  const first = all.filter(({ picture }, at) => all.findIndex((other) => other.picture === picture) === at);
  const kept: KeptKey[] = first
    .slice(0, KEYS)
    .map(({ picture, key }) => ({ picture, key: toBase64url(key) }));
  return { [await keysNote(mailbox, primary)]: kept };
}

/** Which picture's key somebody was sent last, and when, in milliseconds. */
export interface Handed {
  picture: string;
  at: number;
}

export async function handed(mailbox: Mailbox, peer: string): Promise<Handed | undefined> {
  return (await mailbox.note(await handedNote(mailbox, peer))) as Handed | undefined;
}

export function handedNote(mailbox: Mailbox, peer: string): Promise<string> {
  return mailbox.noteAbout('picture-sent', peer);
}

interface KeptKey {
  picture: string;
  key: string;
}

function keysNote(mailbox: Mailbox, primary: string): Promise<string> {
  return mailbox.noteAbout('picture-keys', primary);
}
