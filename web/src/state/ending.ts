// What ends when an account is locked, or the page goes.

/**
 * Every step is begun now, and one that fails keeps none of the others from being done: what they do before they wait for
 * anything is done when this returns its promise.
 */
export async function endAll(steps: readonly (() => void | Promise<void>)[]): Promise<void> {
  await Promise.allSettled(steps.map(async (step) => step()));
}
