// What the server knows of handles, asked before anybody is signed in.
import { handleFault } from '../crypto/handle.ts';
import { paths, type Record as Registered } from '../nats/contract.ts';
import type { Http } from '../nats/http.ts';
import { codeOf } from './refusal.ts';

/** Whether a handle can be had: `null`, or the code of why not (`handle_taken`, `invalid_handle`, `reserved_handle`). */
export async function checkHandle(http: Http, handle: string): Promise<string | null> {
  const fault = handleFault(handle);
  if (fault) return fault;
  return (await found(http, paths.user(handle))) ? 'handle_taken' : null;
}

/** The handle that a key has registered; `null` when it is unknown here. */
export async function handleOf(http: Http, primary: string): Promise<string | null> {
  return (await found(http, paths.byPrimary(primary)))?.handle ?? null;
}

async function found(http: Http, path: string): Promise<Registered | null> {
  try {
    return (await http.get(path)) as unknown as Registered;
  } catch (error) {
    if (codeOf(error) === 'not_found') return null;
    throw error;
  }
}
