// Request signatures for HTTP: `X-KEZ-Auth: <unix seconds>:<128 hex>` (protocol section 5). The functions named after
// requests give the lines to sign without the last one, the time, which `signRequest` and `checkRequest` add.
import { fromHex, toHex, utf8 } from './bytes.ts';
import { Fault } from './fault.ts';
import type { Ed25519Signer } from './keys.ts';
import { verify, type Ed25519Primary } from './primary.ts';

/** The clock skew that servers allow, in seconds. */
export const SKEW_SECONDS = 60;

export function inboxRequest(handle: string, since: number): string {
  return `GET\n/v1/inbox/${handle}\nsince=${since}`;
}

export function streamRequest(handle: string): string {
  return `GET\n/v1/inbox/${handle}/stream`;
}

export function pushSubscribeRequest(handle: string, endpoint: string): string {
  return `POST\n/v1/push/subscribe/${handle}\n${endpoint}`;
}

export function pushUnsubscribeRequest(handle: string, endpoint: string): string {
  return `POST\n/v1/push/unsubscribe/${handle}\n${endpoint}`;
}

export function pushSubscriptionsRequest(handle: string): string {
  return `GET\n/v1/push/subscriptions/${handle}`;
}

/** `bodyHash` is the body's SHA-256 in lower-case hex. */
export function profileRequest(handle: string, bodyHash: string): string {
  return `PUT\n/v1/profile/${handle}\n${bodyHash}`;
}

export function proofsRequest(handle: string, bodyHash: string): string {
  return `PUT\n/v1/profile/${handle}/proofs\n${bodyHash}`;
}

/** Signs the lines at a time; the header's value. */
export async function signRequest(text: string, now: number, signer: Ed25519Signer): Promise<string> {
  const seconds = Math.trunc(now);
  return `${seconds}:${toHex(await signer.sign(utf8(`${text}\n${seconds}`)))}`;
}

/** Checks a header against the lines that the request stands for; the time that it names, in unix seconds. */
export async function checkRequest(
  header: string,
  text: string,
  primary: Ed25519Primary,
  now: number,
  skew = SKEW_SECONDS,
): Promise<number> {
  const [, digits = '', hex = ''] = /^(0|[1-9][0-9]{0,11}):([0-9a-f]{128})$/.exec(header) ?? [];
  const signature = fromHex(hex, 64);
  if (!signature) throw new Fault('invalid_auth');
  const seconds = Number(digits);
  if (Math.abs(now - seconds) > skew) throw new Fault('stale_timestamp');
  if (!(await verify(primary, utf8(`${text}\n${digits}`), signature))) throw new Fault('bad_signature');
  return seconds;
}
