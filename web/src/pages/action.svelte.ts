// Something that a person asked for and that takes a while: whether it is under way, and what went wrong with it.
import { kez } from '../state/kez.svelte.ts';
import { untilDone } from '../state/patience.ts';
import { codeOf } from '../state/refusal.ts';
import { texts } from '../texts.ts';

export class Action {
  busy = $state(false);
  /** What went wrong the last time, in words. */
  problem = $state<string | undefined>();
  /** The same as a code. */
  code = $state<string | undefined>();

  /** Runs it unless it runs already; whether it succeeded. */
  async run(work: () => Promise<unknown>): Promise<boolean> {
    if (this.busy) return false;
    this.clear();
    return this.#attempt(work);
  }

  /** Runs what nobody has asked for: it is tried again while the server is away, until what this returns is called. */
  insist(work: () => Promise<unknown>): () => void {
    const stopped = new AbortController();
    const attempt = async () => (await this.#attempt(work)) || this.code !== 'unavailable';
    void untilDone(attempt, stopped.signal);
    return () => stopped.abort();
  }

  async #attempt(work: () => Promise<unknown>): Promise<boolean> {
    this.busy = true;
    try {
      await work();
      this.clear();
      return true;
    } catch (error) {
      this.fail(error);
      return false;
    } finally {
      this.busy = false;
    }
  }

  clear(): void {
    this.problem = undefined;
    this.code = undefined;
  }

  protected fail(error: unknown): void {
    this.code = codeOf(error);
    this.problem = texts.common.problem(this.code);
    if (this.code === 'internal') console.warn(error);
  }
}

/** An action that needs the identity's own key: asks for the passphrase when the key is not in memory, and goes on. */
export class KeyAction extends Action {
  /** Whether the passphrase is asked for. */
  asks = $state(false);
  readonly unlocking = new Action();
  #waiting: (() => Promise<unknown>) | undefined;

  override async run(work: () => Promise<unknown>): Promise<boolean> {
    const done = await super.run(work);
    if (this.code === 'needs_passphrase') {
      this.clear();
      this.#waiting = work;
      this.asks = true;
    }
    return done;
  }

  async unlock(passphrase: string): Promise<void> {
    const work = this.#waiting;
    if (!work || !(await this.unlocking.run(() => kez.account.unlock(passphrase)))) return;
    this.asks = false;
    await this.run(work);
  }

  cancel(): void {
    this.asks = false;
    this.#waiting = undefined;
    this.unlocking.clear();
  }
}
