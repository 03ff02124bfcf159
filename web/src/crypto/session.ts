// Sessions: a connection key speaks for an identity, for a while (protocol section 3).
import { createSigned, ed25519Of, envelopeText, parseSigned } from './envelope.ts';
import { Fault } from './fault.ts';
import type { Ed25519Signer } from './keys.ts';
import * as members from './payload.ts';
import { fromNkey, nkeyOf, type Ed25519Primary } from './primary.ts';
import { formatTime } from './timestamp.ts';

const MAX_AHEAD = 5 * 60;

/** The longest time that a session may be signed for, in seconds. */
export const MAX_SESSION_SECONDS = 24 * 60 * 60;

/**
 * What a session may be used for: whatever the identity may do, or (`"use": "wake"`) to look what mail has come, and from
 * whom. So a device can be woken by something that it trusts with less than itself.
 */
export type Purpose = 'everything' | 'wake';

export interface Session {
  primary: Ed25519Primary;
  /** The device that signed, which must be active in the primary's sigchain. */
  device: Ed25519Primary | undefined;
  /** The connection key, a NATS user nkey. */
  session: string;
  purpose: Purpose;
  server: string;
  createdAt: number;
  expiresAt: number;
}

/** What a session is signed for. */
export interface SessionTerms {
  primary: Ed25519Primary;
  /** The connection key. */
  session: Ed25519Primary;
  /** Everything, unless it is given. */
  purpose?: Purpose;
  server: string;
  createdAt: number;
  expiresAt: number;
}

/** Signs a session; the envelope's text. A signer that is not the primary itself signs as a device of it. */
export async function createSession(terms: SessionTerms, signer: Ed25519Signer): Promise<string> {
  const payload = members.payload({
    primary: terms.primary,
    device: signer.primary === terms.primary ? undefined : signer.primary,
    session: nkeyOf(terms.session),
    use: terms.purpose === 'wake' ? 'wake' : undefined,
    server: terms.server,
    created_at: formatTime(terms.createdAt),
    expires_at: formatTime(terms.expiresAt),
  });
  return envelopeText(await createSigned('session', payload, signer));
}

/** Checks a session that came with a connection signed by `sessionNkey`. */
export async function checkSession(
  envelope: string | Uint8Array,
  server: string,
  sessionNkey: string,
  now: number,
): Promise<Session> {
  const signed = await parseSigned(envelope, 'session');
  const session = members.text(signed.payload, 'session');
  const named = members.text(signed.payload, 'server');
  const createdAt = members.time(signed.payload, 'created_at');
  const expiresAt = members.time(signed.payload, 'expires_at');
  fromNkey(session);
  const use = members.optionalText(signed.payload, 'use');
  // To take a use that is not known for an unlimited session would give more than was signed.
  if (use !== undefined && use !== 'wake') throw new Fault('malformed');
  if (named !== server) throw new Fault('wrong_server');
  if (session !== sessionNkey) throw new Fault('wrong_session');
  if (now >= expiresAt) throw new Fault('expired');
  const lifetime = expiresAt - createdAt;
  const isReasonable = lifetime >= 1 && lifetime <= MAX_SESSION_SECONDS;
  if (createdAt - now > MAX_AHEAD || !isReasonable) throw new Fault('stale_timestamp');
  const purpose = use ?? 'everything';
  return {
    primary: ed25519Of(signed),
    device: signed.device,
    session,
    purpose,
    server,
    createdAt,
    expiresAt,
  };
}
