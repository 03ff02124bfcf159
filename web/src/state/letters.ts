// Writing: a body signed by me and sealed to somebody, as it waits in the outbox.
import { messageId, type Body } from '../crypto/message.ts';
import { parseEd25519 } from '../crypto/primary.ts';
import { seal, sealedText } from '../crypto/sealed.ts';
import { Refusal } from '../nats/refusal.ts';
import type { KeptOutgoing } from '../storage/kept.ts';
import type { Unlocked } from './unlocked.ts';

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
  return { place: 0, id, peer, kind: kindOf(body), sealed: sealedText(sealed), at };
}

function kindOf(body: Body): KeptOutgoing['kind'] {
  if (body.kind === 'receipt' || body.kind === 'picture_key') return body.kind;
  return body.kind === 'text' && body.copyOf ? 'copy' : 'text';
}
