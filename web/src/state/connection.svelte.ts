// The link to the broker as people see it: live or not, to which server, how fast, since when.
import { notYet } from './not-yet.ts';

/** `closed`: locked. `refused`: the server does not let us in, or its sign-in service is away (it tells nobody which). */
export type LinkState = 'closed' | 'connecting' | 'live' | 'reconnecting' | 'offline' | 'refused';

export class Connection {
  state = $state<LinkState>('closed');
  /** Since when the state is what it is, in milliseconds. */
  since = $state(Date.now());
  /** The domain after the @. */
  server = $state('');
  /** The address the browser is connected to. */
  url = $state('');
  /** Round trip in milliseconds; null before the first one. */
  latency = $state<number | null>(null);
  /** Why it was refused, if that can be found out: `clock_skew`, `unknown_device`, `key_rotated`, or `unauthorized`. */
  refusal = $state<string | null>(null);
  isLive = $derived(this.state === 'live');

  /** Does not wait for the next attempt. */
  retry(): void {
    notYet();
  }

  /** Measures the round trip anew, as when the popover opens. */
  measure(): Promise<void> {
    return notYet();
  }
}
