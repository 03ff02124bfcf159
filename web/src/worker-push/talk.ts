// What pages and the service worker say to each other.
import type { Tidings } from './notice.ts';

/** A page to the service worker. */
export type ToWorker =
  /** A newer version may take over. */
  | 'take over'
  /** Something came to a page that nobody looks at: to be told unless another page of that account is looked at. Plain without `tidings`. */
  | { kind: 'arrived'; account: string; tidings: Tidings | null };

/** The service worker to a page. */
export type ToPage =
  /** Somebody has clicked a notification: `path` is to be opened, as `account` if that is known. */
  | { kind: 'open'; account: string | null; path: string }
  /** The browser has another push subscription now, of which the server is to be told. */
  | { kind: 'subscription changed' }
  /** Whose page is it? Answered through the port that comes with the question. */
  | { kind: 'whose' };

/** What a page answers: the account that is open in it, if one is, and whether somebody looks at it. */
export interface Whose {
  account: string | null;
  isLookedAt: boolean;
}

/** What a page hears, if it is one of these. */
export function readToPage(data: unknown): ToPage | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const { kind, account, path } = data as { kind?: unknown; account?: unknown; path?: unknown };
  if (kind === 'subscription changed' || kind === 'whose') return { kind };
  const names = account === null || typeof account === 'string';
  return kind === 'open' && names && typeof path === 'string' ? { kind, account, path } : undefined;
}
