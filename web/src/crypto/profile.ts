// Profiles: how someone describes themselves (protocol section 3).
import { utf8Length } from './bytes.ts';
import { createSigned, ed25519Of, envelopeText, parseSigned } from './envelope.ts';
import { Fault } from './fault.ts';
import type { Json } from './json.ts';
import type { Ed25519Signer } from './keys.ts';
import * as members from './payload.ts';
import { readPicture } from './picture.ts';
import type { Ed25519Primary } from './primary.ts';
import { formatTime } from './timestamp.ts';

const MAX_ENVELOPE_BYTES = 64 * 1024;
export const MAX_NAME_CHARACTERS = 64;
export const MAX_ABOUT_CHARACTERS = 500;
const MAX_AHEAD = 5 * 60;

/** What a profile says. */
export interface ProfileContent {
  displayName?: string | undefined;
  about?: string | undefined;
  /** A picture as it stands in the profile; `readPicture` takes it. */
  picture?: Json | undefined;
  updatedAt: number;
}

export interface Profile extends ProfileContent {
  primary: Ed25519Primary;
}

/** Signs the profile of the signer's identity; the envelope's text. `too_large` for what `checkProfile` would not take. */
export async function createProfile(content: ProfileContent, signer: Ed25519Signer): Promise<string> {
  checkLengths(content);
  if (content.picture !== undefined) readPicture(content.picture);
  const payload = members.payload({
    display_name: content.displayName,
    about: content.about,
    picture: content.picture,
    updated_at: formatTime(content.updatedAt),
  });
  const envelope = envelopeText(await createSigned('profile', payload, signer));
  if (utf8Length(envelope) > MAX_ENVELOPE_BYTES) throw new Fault('too_large');
  return envelope;
}

/** Checks a profile: `too_large`, section 3, its members, then `stale_timestamp` more than five minutes ahead. */
export async function checkProfile(envelope: string, now: number): Promise<Profile> {
  if (utf8Length(envelope) > MAX_ENVELOPE_BYTES) throw new Fault('too_large');
  const signed = await parseSigned(envelope, 'profile');
  const content = {
    displayName: members.optionalText(signed.payload, 'display_name'),
    about: members.optionalText(signed.payload, 'about'),
    picture: signed.payload['picture'],
    updatedAt: members.time(signed.payload, 'updated_at'),
  };
  if (content.picture !== undefined) readPicture(content.picture);
  checkLengths(content);
  if (content.updatedAt - now > MAX_AHEAD) throw new Fault('stale_timestamp');
  return { primary: ed25519Of(signed), ...content };
}

function checkLengths({ displayName = '', about = '' }: ProfileContent): void {
  const isShort = characters(displayName) <= MAX_NAME_CHARACTERS && characters(about) <= MAX_ABOUT_CHARACTERS;
  if (!isShort) throw new Fault('too_large');
}

/** How many characters (Unicode scalar values) a text has. */
function characters(text: string): number {
  return Array.from(text).length;
}
