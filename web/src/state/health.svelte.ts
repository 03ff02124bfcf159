// What may go wrong with this browser's storage, noticed and told.
import { askToPersist, usage } from '../storage/presence.ts';

export class Health {
  /** The browser has no room left: new messages wait on the server until there is. */
  isFull = $state(false);
  /** The browser may delete what is kept here, since it did not agree to keep it; null where it does not say. */
  isPersistent = $state<boolean | null>(null);
  /** The browser refuses to store anything (private windows of some browsers). */
  isUnavailable = $state(false);
  /** Another tab has a newer version of the page open: this one must be reloaded. */
  isOutdated = $state(false);
  /** Bytes in use, and how many there may be. */
  usage = $state.raw<{ used: number; quota: number } | null>(null);

  /** Asks the browser to keep what is stored, and how much that is. */
  async look(): Promise<void> {
    this.isPersistent = await askToPersist();
    this.usage = await usage();
  }
}
