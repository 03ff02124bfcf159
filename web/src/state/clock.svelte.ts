// Whether this device's clock agrees with the server's: signatures carry times.

export class Clock {
  /** How far this clock is ahead of the server's, in seconds; null before the server has said its time. */
  ahead = $state<number | null>(null);
  /** More than a minute apart: a person is told. */
  isWrong = $derived(this.ahead !== null && Math.abs(this.ahead) > 60);
  /** More than five minutes apart: registering fails, and signing in with a clock that is ahead, or more than a day behind. */
  isTooWrong = $derived(this.ahead !== null && Math.abs(this.ahead) > 300);

  /** Milliseconds, by this device's clock. */
  now(): number {
    return Date.now();
  }

  /** Seconds, as signatures carry them. */
  seconds(): number {
    return Math.floor(this.now() / 1000);
  }

  /** Seconds by the server's clock, as far as it is known: others judge by that what comes from here. */
  serverSeconds(): number {
    return this.seconds() - (this.ahead ?? 0);
  }

  /** The server has said what time it is, in seconds. */
  hear(serverSeconds: number): void {
    this.ahead = Math.round(this.now() / 1000 - serverSeconds);
  }
}
