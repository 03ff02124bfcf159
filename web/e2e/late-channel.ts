// The channel between tabs, as a page knows it that the browser has stopped for a while: it hears late what was said meanwhile.
export class LateChannel extends BroadcastChannel {
  static #waiting: (() => void)[] | undefined;

  /** What is said from here on is heard when `goOn` is called. */
  static hold(): void {
    this.#waiting = [];
  }

  static goOn(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const hear of waiting) hear();
  }

  override set onmessage(listener: typeof BroadcastChannel.prototype.onmessage) {
    super.onmessage = (event: Event) => {
      const hear = () => void listener?.call(this, event as MessageEvent);
      if (LateChannel.#waiting) LateChannel.#waiting.push(hear);
      else hear();
    };
  }
}
