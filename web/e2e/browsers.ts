// The browsers of a story that Node plays: tabs are opened, accounts made in them, and all are closed when the story ends.
import { expect } from 'vitest';
import type { Clock } from '../src/state/clock.svelte.ts';
import { openTab, type Tab } from './tab.ts';

/** Longer than the longest wait before another attempt. */
export const PATIENCE = { timeout: 20_000 };
export const PASSPHRASE = 'open sesame';

export class Browsers {
  readonly #origin: () => string;
  readonly #tabs: Tab[] = [];

  constructor(origin: () => string) {
    this.#origin = origin;
  }

  /** A tab of a browser; of a blank one, if it has that name for the first time. */
  async open(browser: string, clock?: Clock): Promise<Tab> {
    const tab = openTab(this.#origin(), browser, clock);
    this.#tabs.push(tab);
    await tab.kez.account.start();
    return tab;
  }

  /** A blank browser in which somebody has made an account and is connected. */
  async create(handle: string): Promise<Tab & { words: string[] }> {
    const tab = await this.open(handle);
    const words = tab.kez.account.drawPhrase();
    await tab.kez.account.create({ handle, passphrase: PASSPHRASE, words });
    await live(tab);
    return { ...tab, words };
  }

  async close(): Promise<void> {
    for (const tab of this.#tabs.splice(0)) await tab.close();
  }
}

export const live = (tab: Tab) => expect.poll(() => tab.kez.connection.state, PATIENCE).toBe('live');
