// How an account comes into this browser: made here, or restored from what its owner has written down.
import type { Bytes } from '../crypto/bytes.ts';
import type { SecretKey } from '../crypto/keys.ts';
import { recover } from '../crypto/phrase.ts';
import { createRegistration } from '../crypto/registration.ts';
import { formatTime } from '../crypto/timestamp.ts';
import { paths } from '../nats/contract.ts';
import type { Http } from '../nats/http.ts';
import { Refusal } from '../nats/refusal.ts';
import type { AccountRow } from '../storage/schema.ts';
import type { Secrets } from '../storage/vault.ts';
import type { AccountStep } from './account-summary.ts';
import type { Clock } from './clock.svelte.ts';
import { handleOf } from './handles.ts';
import type { Protection } from './protection.ts';
import { recoverTyped } from './secret-reading.ts';

/** What is to be kept, and opened. */
export interface NewAccount {
  row: AccountRow;
  secrets: Secrets;
}

export interface EntryTerms {
  http: Http;
  clock: Clock;
  protection: Protection;
  /** What is done now. */
  at(step: AccountStep): void;
}

/** Draws what encrypts its mail, and registers the handle. */
export async function createAccount(
  terms: EntryTerms,
  server: string,
  given: { handle: string; passphrase: string; words: string[] },
): Promise<NewAccount> {
  const { http, clock } = terms;
  const { handle, passphrase } = given;
  const { key, words } = recover(given.words.join(' '));
  const secrets = secretsOf(key, words);
  const row = await seal(terms, { handle, server, passphrase, key, secrets });
  terms.at('registering');
  await http.post(paths.register, await createRegistration(handle, server, clock.seconds(), key));
  key.forget();
  return { row, secrets };
}

/** Goes on with what this browser has of the account (`before`) where the key opens that. `not_found` without a handle here. */
export async function restoreAccount(
  terms: EntryTerms,
  server: string,
  given: { secret: string; passphrase: string },
  before: AccountRow | undefined,
): Promise<NewAccount & { keepsMail: boolean }> {
  const { key, words } = recoverTyped(given.secret);
  const handle = await handleOf(terms.http, key.primary);
  if (handle === null) throw new Refusal('not_found');
  const data = before && (await terms.protection.keptData(key, before));
  const secrets = secretsOf(key, words, data);
  const row = await seal(terms, { handle, server, passphrase: given.passphrase, key, secrets });
  key.forget();
  return { row, secrets, keepsMail: data !== undefined };
}

function secretsOf(key: SecretKey, phrase: string | undefined, data?: Bytes): Secrets {
  return { seed: key.seed(), phrase, data: data ?? crypto.getRandomValues(new Uint8Array(32)) };
}

async function seal(
  { clock, protection, at }: EntryTerms,
  account: { handle: string; server: string; passphrase: string; key: SecretKey; secrets: Secrets },
): Promise<AccountRow> {
  const { handle, server, passphrase, key, secrets } = account;
  at('deriving');
  const vault = await protection.seal(passphrase, key.primary, secrets);
  const addedAt = formatTime(clock.seconds());
  return { primary: key.primary, handle, server, addedAt, usedAt: clock.now(), vault };
}
