// How long to wait before something is tried again, so that a server that comes back is not met by everyone at once.

/** Back-off with jitter, in milliseconds: up to 8 s, and never less than a quarter of what it may be. */
export function delay(attempts: number, random: () => number = Math.random): number {
  const longest = 125 * 2 ** Math.min(attempts, 6);
  return longest / 4 + random() * (longest - longest / 4);
}

/** Waits, unless the signal ends it before. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
  });
}
