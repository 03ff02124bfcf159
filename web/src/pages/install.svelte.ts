// Whether this browser can install Kez as an app, and how: by asking, or (on iOS) by hand.

import { localStore } from '../state/local-store.ts';

/** The part of the browser's API that TypeScript does not describe. */
interface InstallPrompt extends Event {
  prompt(): Promise<unknown>;
}

const DISMISSED = 'kez-install-dismissed';
const store = localStore();

class Install {
  #prompt = $state.raw<InstallPrompt | undefined>();
  #isDismissed = $state((store?.getItem(DISMISSED) ?? null) !== null);
  readonly #isInstalled = matchMedia('(display-mode: standalone)').matches;
  /** On iOS only the share menu installs. */
  readonly needsShareMenu = /iPhone|iPad|iPod/.test(navigator.userAgent);
  /** Whether it can be installed here. */
  readonly isPossible = $derived(!this.#isInstalled && (this.needsShareMenu || this.#prompt !== undefined));
  /** Whether to offer it unasked. */
  readonly isOffered = $derived(this.isPossible && !this.#isDismissed);

  constructor() {
    addEventListener('beforeinstallprompt', (event) => {
      event.preventDefault();
      this.#prompt = event as InstallPrompt;
    });
    addEventListener('appinstalled', () => (this.#prompt = undefined));
  }

  async install(): Promise<void> {
    const prompt = this.#prompt;
    this.#prompt = undefined;
    await prompt?.prompt();
  }

  dismiss(): void {
    store?.setItem(DISMISSED, 'yes');
    this.#isDismissed = true;
  }
}

export const install = new Install();
