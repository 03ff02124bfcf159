// What may go wrong with this browser's storage, noticed and told.

export class Health {
  /** The browser has no room left: what comes is shown, but cannot be kept. */
  isFull = $state(false);
  /** The browser may delete what is kept here, since it did not agree to keep it. */
  isPersistent = $state<boolean | null>(null);
  /** The browser refuses to store anything (private windows of some browsers). */
  isUnavailable = $state(false);
  /** Another tab has a newer version of the page open: this one must be reloaded. */
  isOutdated = $state(false);
  /** Bytes in use, and how many there may be. */
  usage = $state<{ used: number; quota: number } | null>(null);
}
