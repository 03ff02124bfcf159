// What ends when an account is locked, or the page goes.

/** Every step is done, one after the other: one that fails keeps none of the others from being done. */
export async function endAll(steps: readonly (() => void | Promise<void>)[]): Promise<void> {
  for (const step of steps) {
    try {
      await step();
    } catch {
      // Whoever locks wants the rest to be locked all the same.
    }
  }
}
