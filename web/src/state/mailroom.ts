// The one place where mail is changed: under a lock that all tabs share, written as a whole, then told to everyone.
import type { Change, KeptMessage, KeptOutgoing, Written } from '../storage/kept.ts';
import type { Mailbox } from '../storage/mailbox.ts';
import type { Health } from './health.svelte.ts';
import { codeOf } from './refusal.ts';
import type { News, Unlocked } from './unlocked.ts';

export interface MailroomTerms {
  health: Health;
  heard(news: News): void;
  /** This waits in the outbox since now. */
  posted(waiting: readonly KeptOutgoing[]): void;
}

export class Mailroom {
  readonly account: Unlocked;
  readonly #terms: MailroomTerms;

  constructor(account: Unlocked, terms: MailroomTerms) {
    this.account = account;
    this.#terms = terms;
  }

  /**
   * Reads what is there, decides, and writes; nobody else changes anything meanwhile. What is to be sent goes on its way before
   * it is told that anything has changed: drawing takes longer.
   */
  async change(decide: (mailbox: Mailbox) => Promise<Change | undefined>): Promise<void> {
    const { mailbox, tabs } = this.account;
    const done = await tabs.exclusively(async () => {
      const change = await decide(mailbox);
      return change && { change, written: await this.#commit(change) };
    });
    if (!done) return;
    const { added, waiting } = done.written;
    if (waiting.length > 0) this.#terms.posted(waiting);
    this.#tellOf(done.change, added);
  }

  /** Tells this tab and the others. */
  tell(news: News): void {
    this.#terms.heard(news);
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

  async #commit(change: Change): Promise<Written> {
    const { health } = this.#terms;
    try {
      const written = await this.account.mailbox.commit(change);
      health.isFull = false;
      return written;
    } catch (error) {
      if (codeOf(error) === 'storage_full') health.isFull = true;
      throw error;
    }
  }
}
