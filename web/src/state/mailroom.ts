// The one place where mail is changed: under a lock that all tabs share, written as a whole, then told to everyone.
import type { Change, KeptMessage } from '../storage/kept.ts';
import type { Mailbox } from '../storage/mailbox.ts';
import type { Health } from './health.svelte.ts';
import { codeOf } from './refusal.ts';
import type { News, Unlocked } from './unlocked.ts';

export class Mailroom {
  readonly account: Unlocked;
  readonly #health: Health;
  readonly #heard: (news: News) => void;

  constructor(account: Unlocked, health: Health, heard: (news: News) => void) {
    this.account = account;
    this.#health = health;
    this.#heard = heard;
  }

  /**
   * Reads what is there, decides, and writes; nobody else changes anything meanwhile. Returns what was added. What is `certain`,
   * since the server has said it, is told before it is written too: whoever waits for it need not wait for the disk.
   */
  async change(
    decide: (mailbox: Mailbox) => Promise<Change | undefined>,
    certain = false,
  ): Promise<KeptMessage[]> {
    const { mailbox, tabs } = this.account;
    const { change, added } = await tabs.exclusively(async () => {
      const change = await decide(mailbox);
      if (change && certain) this.#tellOf(change, []);
      return { change, added: change ? await this.#commit(change) : [] };
    });
    if (change) this.#tellOf(change, added);
    return added;
  }

  /** Tells this tab and the others. */
  tell(news: News): void {
    this.#heard(news);
    this.account.tabs.tell(news);
  }

  #tellOf(change: Change, added: readonly KeptMessage[]): void {
    const messages = [...added, ...(change.update ?? [])];
    const removed = (change.remove ?? []).map(({ id }) => id);
    const chats = [...(change.chats ?? [])];
    if (messages.length + removed.length + chats.length > 0) {
      this.tell({ kind: 'mail', messages, removed, chats });
    }
  }

  async #commit(change: Change): Promise<KeptMessage[]> {
    try {
      const added = await this.account.mailbox.commit(change);
      this.#health.isFull = false;
      return added;
    } catch (error) {
      if (codeOf(error) === 'storage_full') this.#health.isFull = true;
      throw error;
    }
  }
}
