// What a notification says: decided from what is known, shown by notices.ts.
import { preview, shownName } from '../components/shown-text.ts';
import { chatPath, paths } from '../routes.ts';
import { notices as words } from '../texts/notices.ts';

/** Somebody who has written, and how often. */
export interface Writer {
  /** `ed25519:<64 hex>`. */
  peer: string;
  /** A handle or a display name; hostile. */
  name: string | undefined;
  count: number;
}

/** What there is to tell of an account. */
export interface Tidings {
  writers: readonly Writer[];
  /** The words of the only message; null for a kind that is not known, or where there are several. Hostile. */
  text: string | null;
}

/** What a notification carries for whoever clicks it, and for whoever closes it. */
export interface NoticeData {
  /** Whose it is; null where that is not known. */
  account: string | null;
  /** Who has written; nobody in a plain one. */
  peers: string[];
  /** Where a click leads. */
  path: string;
}

export interface Notice {
  tag: string;
  title: string;
  body: string;
  data: NoticeData;
}

/** Room that systems give a notification, and a little more. */
const LONGEST = 240;

/** There is one notification an account. */
export function tagOf(account: string | null): string {
  return account === null ? 'kez' : `kez:${account}`;
}

/** Who has written, and what if it is a single message. */
export function tell(account: string, { writers, text }: Tidings): Notice {
  const count = writers.reduce((sum, writer) => sum + writer.count, 0);
  const names = writers.map(({ name }) => shownName(name ?? '') || words.somebody);
  const [only] = writers;
  const path = writers.length === 1 && only ? chatPath(only.peer) : paths.chats;
  const data = { account, peers: writers.map(({ peer }) => peer), path };
  const tag = tagOf(account);
  if (count > 1) return { tag, title: words.title, body: words.several(count, names), data };
  const body = text === null ? words.unknownKind : shortened(preview(text)) || words.plain;
  return { tag, title: names[0] ?? words.title, body, data };
}

/** That there is something, and nothing else. `address`: whose, where several accounts could be meant. */
export function tellPlainly(account: string | null, address?: string): Notice {
  const body = address === undefined ? words.plain : words.plainFor(address);
  return { tag: tagOf(account), title: words.title, body, data: { account, peers: [], path: paths.chats } };
}

export function tellOfTest(account: string): Notice {
  return { ...tellPlainly(account), body: words.test };
}

/** No half of a character at its end. */
function shortened(text: string): string {
  const characters = Array.from(text);
  return characters.length > LONGEST ? `${characters.slice(0, LONGEST - 1).join('')}…` : text;
}
