// localStorage, where there is one: for what is no secret.

/** Some browsers forbid it to pages of which they keep nothing. */
export function localStore(): Storage | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}
