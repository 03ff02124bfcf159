// The page itself: offline shell, a newer version waiting, and installing as an app.
import { notYet } from './not-yet.ts';

export class Update {
  /** A newer version is here and waits for a reload. */
  isWaiting = $state(false);

  /** Registers the service worker and looks for newer versions. */
  start(): Promise<void> {
    return notYet();
  }

  /** Takes the newer version and reloads the page. */
  apply(): Promise<void> {
    return notYet();
  }
}
