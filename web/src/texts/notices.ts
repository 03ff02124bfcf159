// Words of notifications: the service worker has them in its own script.
export const notices = {
  title: 'Kez',
  plain: 'New message',
  plainFor: (address: string) => `New message for ${address}`,
  /** For a kind of message that this version does not know. */
  unknownKind: 'A message that needs a newer version of Kez',
  several: (count: number, names: readonly string[]) => `${count} new messages from ${listed(names)}`,
  somebody: 'somebody',
  test: 'This is how Kez tells you of a message while it is closed.',
} as const;

/** `alice`, `alice and bob`, `alice, bob and carol`, `alice, bob and 3 others`. */
function listed(names: readonly string[]): string {
  const shown = names.length > 3 ? [...names.slice(0, 2), `${names.length - 2} others`] : names;
  const last = shown.at(-1) ?? '';
  return shown.length > 1 ? `${shown.slice(0, -1).join(', ')} and ${last}` : last;
}
