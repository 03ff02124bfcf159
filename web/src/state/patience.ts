// What is tried again by itself while the server is away.
import { delay, pause } from '../nats/delay.ts';

/** Tries, with longer and longer pauses, until it is done or nobody wants it any more. */
export async function untilDone(attempt: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  for (let failures = 0; !signal.aborted && !(await attempt()); failures++)
    await pause(delay(failures), signal);
}
