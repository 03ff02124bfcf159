// Writing: a body signed by me and sealed to somebody, as it waits in the outbox.
import { messageId, type Body } from '../crypto/message.ts';
import { parseEd25519 } from '../crypto/primary.ts';
import { openArchived, parseSealed, seal, sealedText } from '../crypto/sealed.ts';
import { Refusal } from '../nats/refusal.ts';
import type { KeptOutgoing } from '../storage/kept.ts';
import { ownKey } from './picture-notes.ts';
import type { Unlocked } from './unlocked.ts';

/**
 * Recipients take nothing that is older than a week or more than five minutes ahead. What is sealed may lie in a mailbox for
 * a while, and clocks differ a little. In milliseconds.
 */
const TOO_OLD = 5 * 24 * 60 * 60 * 1000;
const TOO_EARLY = 4 * 60 * 1000;

export function newId(): string {
  return messageId(crypto.getRandomValues(new Uint8Array(16)));
}

/** Seals a body to a peer. `at` is in milliseconds; what is signed are whole seconds. */
export async function write(
  { primary, speaker }: Unlocked,
  given: { id: string; peer: string; at: number; body: Body },
): Promise<KeptOutgoing> {
  if (!speaker) throw new Refusal('needs_passphrase');
  const { id, peer, at, body } = given;
  const device = speaker.signer.primary === primary ? undefined : speaker.signer.primary;
  const message = { id, primary, device, to: parseEd25519(peer), sentAt: Math.floor(at / 1000), body };
  const sealed = await seal(message, speaker.signer, crypto.getRandomValues(new Uint8Array(32)));
  const signer = speaker.signer.primary;
  return { place: 0, id, peer, kind: kindOf(body), sealed: sealedText(sealed), at, signer };
}

/**
 * What may be sent of something that has waited, perhaps since another time or another device: the same bytes, or the same
 * words under the same id, signed and sealed anew; of a picture's key, that of the picture I have now. Nothing for a receipt that
 * nobody would believe any more, or without a picture.
 */
export async function stillGood(
  account: Unlocked,
  outgoing: KeptOutgoing,
  now: number,
): Promise<KeptOutgoing | undefined> {
  const { id, peer, place, signer } = outgoing;
  const isFresh = now - outgoing.at < TOO_OLD && outgoing.at - now < TOO_EARLY;
  // What the identity has signed itself holds whatever becomes of its devices.
  const isSigned = signer === account.primary || signer === account.speaker?.signer.primary;
  if (isFresh && isSigned) return outgoing;
  const body = await bodyOf(account, outgoing);
  if (!body) return undefined;
  return { ...(await write(account, { id, peer, at: isFresh ? outgoing.at : now, body })), place };
}

/** My own words are kept, and so is my picture's key; what I have written to myself I can open. */
async function bodyOf(
  account: Unlocked,
  { id, peer, kind, sealed }: KeptOutgoing,
): Promise<Body | undefined> {
  if (kind === 'text') {
    const text = (await account.mailbox.byIds([id]))[0]?.text;
    return typeof text === 'string' ? { kind, text } : undefined;
  }
  // It counts as handed since it was sealed: dropped, its recipient would go without for a week.
  if (kind === 'picture_key') {
    const own = await ownKey(account);
    return own && { kind, ...own };
  }
  return peer === account.primary
    ? (await openArchived(parseSealed(sealed), account.opener)).body
    : undefined;
}

function kindOf(body: Body): KeptOutgoing['kind'] {
  if (body.kind === 'receipt' || body.kind === 'picture_key') return body.kind;
  return body.kind === 'text' && body.copyOf ? 'copy' : 'text';
}
