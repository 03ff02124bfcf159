// How somebody is shown where there may be no name.
import { shortKey } from '../components/shown-text.ts';
import type { Person } from '../state/people.svelte.ts';

/** `handle@server`, or the key in short. */
export function addressOf(person: Person): string {
  return person.fullHandle ?? shortKey(person.primary);
}
