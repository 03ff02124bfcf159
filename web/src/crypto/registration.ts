// Registration: an identity takes a handle at a server (protocol section 4).
import { createSigned, ed25519Of, envelopeText, parseSigned } from './envelope.ts';
import { Fault } from './fault.ts';
import { parseHandle } from './handle.ts';
import type { Ed25519Signer } from './keys.ts';
import * as members from './payload.ts';
import type { Ed25519Primary } from './primary.ts';
import { formatTime } from './timestamp.ts';

/** How far `created_at` may be from the server's clock, either way, in seconds. */
const MAX_SKEW = 5 * 60;

export interface Registration {
  handle: string;
  primary: Ed25519Primary;
  server: string;
  createdAt: number;
}

/** Signs a registration of the signer's identity; the envelope's text. */
export async function createRegistration(
  handle: string,
  server: string,
  createdAt: number,
  signer: Ed25519Signer,
): Promise<string> {
  const payload = members.payload({ handle, server, created_at: formatTime(createdAt) });
  return envelopeText(await createSigned('handle_registration', payload, signer));
}

/** Checks a registration at a server, in protocol section 4's order. */
export async function checkRegistration(
  envelope: string | Uint8Array,
  server: string,
  now: number,
): Promise<Registration> {
  const signed = await parseSigned(envelope, 'handle_registration');
  const handle = members.text(signed.payload, 'handle');
  const named = members.text(signed.payload, 'server');
  const createdAt = members.time(signed.payload, 'created_at');
  if (Math.abs(createdAt - now) > MAX_SKEW) throw new Fault('stale_timestamp');
  if (named !== server) throw new Fault('wrong_server');
  return { handle: parseHandle(handle), primary: ed25519Of(signed), server, createdAt };
}
