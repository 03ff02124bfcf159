// The addresses of pages, and which page an address names.
export type RouteName =
  | 'landing'
  | 'create'
  | 'restore'
  | 'unlock'
  | 'welcome'
  | 'chats'
  | 'identity'
  | 'claims'
  | 'add-claim'
  | 'settings'
  | 'trust'
  | 'not-found';

export interface Route {
  readonly name: RouteName;
  /** Whom the open chat is with; only in `/chats/{peer}`. */
  readonly peer?: string;
}

/** Every address that shows a page of its own; tests open each. */
export const paths = {
  landing: '/',
  create: '/create',
  restore: '/restore',
  unlock: '/unlock',
  welcome: '/welcome',
  chats: '/chats',
  identity: '/identity',
  claims: '/claims',
  'add-claim': '/claims/add',
  settings: '/settings',
  trust: '/trust',
} as const satisfies Record<Exclude<RouteName, 'not-found'>, string>;

/** Addresses of earlier clients that people may have bookmarked. */
const moved: Readonly<Record<string, string>> = { '/messages': paths.chats, '/dashboard': paths.identity };

const names = new Map<string, RouteName>(
  Object.entries(paths).map(([name, path]) => [path, name as RouteName]),
);

/** The page that a path names. */
export function route(path: string): Route {
  const plain = path.length > 1 ? path.replace(/\/+$/, '') : path;
  const target = moved[plain] ?? plain;
  const name = names.get(target);
  if (name) return { name };
  const peer = /^\/chats\/([^/]{1,400})$/.exec(target)?.[1];
  const decoded = peer === undefined ? undefined : decode(peer);
  return decoded === undefined ? { name: 'not-found' } : { name: 'chats', peer: decoded };
}

/** The address of the chat with somebody. */
export function chatPath(peer: string): string {
  return `${paths.chats}/${encodeURIComponent(peer)}`;
}

/** Undefined for an escape that is none, such as `%zz`. */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
