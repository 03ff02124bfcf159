// Which pages an account's status lets somebody see, and where they are led instead.
import { paths, type Route, type RouteName } from '../routes.ts';
import type { AccountStatus } from '../state/account.svelte.ts';

/** Pages for whoever has no account here, or makes another. */
const outside: ReadonlySet<RouteName> = new Set<RouteName>(['landing', 'create', 'restore']);
/** Pages for everybody. */
const open: ReadonlySet<RouteName> = new Set<RouteName>(['trust', 'not-found']);

/** Where to lead somebody instead of to this page; undefined where they may stay. */
export function detour(status: AccountStatus, { name }: Route): string | undefined {
  if (status === 'starting' || open.has(name)) return undefined;
  if (status === 'none' || status === 'wiped') return outside.has(name) ? undefined : paths.landing;
  if (status === 'locked') return name === 'landing' ? paths.unlock : undefined;
  if (name === 'create') return paths.welcome;
  return outside.has(name) || name === 'unlock' ? paths.chats : undefined;
}

/** Whether a page is for somebody who is signed in; to somebody who is locked it asks for the passphrase first. */
export function isInside(name: RouteName): boolean {
  return !outside.has(name) && !open.has(name) && name !== 'unlock';
}
