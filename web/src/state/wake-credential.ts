// The credential that the service worker is woken with: a session of its own, which fetches sealed mail and looks people up
// and may do nothing else, under a key that the browser uses and does not show.
import { createSession } from '../crypto/session.ts';
import { hexOf, nkeyOf, primaryOf } from '../crypto/primary.ts';
import type { Speaker } from '../nats/session.ts';
import type { WakeCredential } from '../storage/wakes.ts';

/** The longest that a session may be signed for, in seconds. */
const A_DAY = 24 * 60 * 60;
/** While a page is open it is renewed after so long, in milliseconds: whoever closes it has most of a day left. */
const RENEW_AFTER = 60 * 60 * 1000;

/** Whether it was made not long ago; one that was made for another address is as good. `now` in milliseconds. */
export function isFresh(credential: WakeCredential | undefined, now: number): boolean {
  return credential !== undefined && credential.expiresAt - now > A_DAY * 1000 - RENEW_AFTER;
}

/** None where the browser knows no Ed25519: its notifications say that something came, and no more. */
export async function makeCredential(
  { primary, signer }: Speaker,
  { url, server, now }: { url: string; server: string; now: number },
): Promise<WakeCredential | undefined> {
  const pair = await generate();
  if (!pair) return undefined;
  const session = primaryOf(new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)));
  const createdAt = Math.floor(now / 1000);
  const expiresAt = createdAt + A_DAY;
  const terms = { primary, session, purpose: 'wake', server, createdAt, expiresAt } as const;
  return {
    url,
    device: hexOf(signer.primary),
    envelope: await createSession(terms, signer),
    key: pair.privateKey,
    nkey: nkeyOf(session),
    expiresAt: expiresAt * 1000,
  };
}

async function generate(): Promise<CryptoKeyPair | undefined> {
  try {
    return (await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as CryptoKeyPair;
  } catch {
    return undefined;
  }
}
