// The app lock: after some minutes without a touch in any tab, the account is locked.
import type { MarkerStore } from '../storage/presence.ts';
import type { Clock } from './clock.svelte.ts';
import type { Settings } from './settings.svelte.ts';

/** When something was touched last, in milliseconds: shared by all tabs, and no secret. */
const TOUCHED = 'kez.touched';
/** It is looked at so often, and written no more often than so, in milliseconds. */
const LOOK_EVERY = 10_000;
const WRITE_EVERY = 5_000;

export class AppLock {
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #store: MarkerStore | undefined;
  readonly #lock: () => void;
  #timer: ReturnType<typeof setInterval> | undefined;
  #touched = 0;

  constructor(settings: Settings, clock: Clock, store: MarkerStore | undefined, lock: () => void) {
    this.#settings = settings;
    this.#clock = clock;
    this.#store = store;
    this.#lock = lock;
  }

  /** Begins to count. */
  start(): void {
    this.stop();
    this.touch();
    this.#timer = setInterval(() => this.look(), LOOK_EVERY);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  touch(): void {
    // After the computer has slept, the first touch comes too late.
    if (this.#timer !== undefined && this.isOver()) return this.#lock();
    if (this.#clock.now() - this.#touched < WRITE_EVERY) return;
    this.#touched = this.#clock.now();
    this.#store?.setItem(TOUCHED, String(this.#touched));
  }

  look(): void {
    if (this.isOver()) this.#lock();
  }

  /** Whether nothing was touched for as long as was chosen. */
  isOver(): boolean {
    const end = this.end();
    return end !== undefined && this.#clock.now() >= end;
  }

  /** When that will be, in milliseconds; none where it was not chosen. */
  end(): number | undefined {
    const { lockAfter } = this.#settings;
    const touched = Math.max(this.#touched, Number(this.#store?.getItem(TOUCHED) ?? 0));
    return lockAfter > 0 && touched > 0 ? touched + lockAfter * 60_000 : undefined;
  }
}
