// Claims: an identity says that an account is its own, in words that the account can publish (protocol sections 3, 7).
import { utf8Length } from './bytes.ts';
import { MAX_ENVELOPE_BYTES } from './claim-forms.ts';
import { createSigned, envelopeText, parseSigned } from './envelope.ts';
import { Fault } from './fault.ts';
import { parseIdentifier, type Identifier } from './identifier.ts';
import type { Signer } from './keys.ts';
import * as members from './payload.ts';
import type { Primary } from './primary.ts';
import { formatTime, parseTime } from './timestamp.ts';

/** A claim whose signature holds. */
export interface Claim {
  subject: Identifier;
  primary: Primary;
  createdAt: number;
  expiresAt: number | undefined;
}

/** Signs a claim of the signer's identity; the envelope's text, which `claim-forms.ts` makes publishable. */
export async function createClaim(
  subject: Identifier,
  createdAt: number,
  expiresAt: number | undefined,
  signer: Signer,
): Promise<string> {
  const payload = members.payload({
    subject,
    created_at: formatTime(createdAt),
    expires_at: expiresAt === undefined ? undefined : formatTime(expiresAt),
  });
  return envelopeText(await createSigned('claim', payload, signer));
}

/** Reads a claim's envelope and checks its signature. */
export async function parseClaim(envelope: string): Promise<Claim> {
  if (utf8Length(envelope) > MAX_ENVELOPE_BYTES) throw new Fault('too_large');
  const signed = await parseSigned(envelope, 'claim');
  const end = members.optionalText(signed.payload, 'expires_at');
  const expiresAt = end === undefined ? undefined : parseTime(end);
  const subject = parseIdentifier(members.text(signed.payload, 'subject'));
  const createdAt = members.time(signed.payload, 'created_at');
  return { subject, primary: signed.primary, createdAt, expiresAt };
}

/** Checks that it is the claim that is looked for: `wrong_subject`, `wrong_primary`, then, from its end on, `expired`. */
export function checkClaim(claim: Claim, subject: Identifier, primary: Primary, now: number): void {
  if (claim.subject !== subject) throw new Fault('wrong_subject');
  if (claim.primary !== primary) throw new Fault('wrong_primary');
  if (claim.expiresAt !== undefined && now >= claim.expiresAt) throw new Fault('expired');
}
