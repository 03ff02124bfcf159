// Conversations: the list, what is unread, drafts, and messages on their way.
import type { KeptChat } from '../storage/kept.ts';
import { DRAFTS, Drafts, type Draft } from './drafts.ts';
import { REFUSED } from './incoming.ts';
import type { Mailroom } from './mailroom.ts';
import { Meanwhile } from './meanwhile.ts';
import type { People } from './people.svelte.ts';
import { emptyChat } from './summary.ts';
import { Thread, type MessageStatus, type ThreadTerms } from './thread.svelte.ts';
import type { News } from './unlocked.ts';

/** A row of the list of conversations. */
export interface Chat {
  /** `ed25519:<64 hex>`: what stands in the address, and what `people` knows a name for. */
  peer: string;
  /** The beginning of the last message, one line; empty when there is none. */
  preview: string;
  /** Whether I wrote the last message, and how far it came. */
  lastIsMine: boolean;
  lastStatus: MessageStatus | null;
  /** When the last message was written, in milliseconds; when the chat was begun, if there is none. */
  lastAt: number;
  unread: number;
  /** What was typed and not sent. */
  draft: string;
}

export class Chats {
  /** The newest first. */
  list = $state.raw<Chat[]>([]);
  /** Whether the list was read from storage yet. */
  isLoaded = $state(false);
  /** The chat that is open. */
  thread = $state.raw<Thread | null>(null);
  unread = $derived(this.list.reduce((sum, chat) => sum + chat.unread, 0));
  /** Messages that came and could not be taken, by code (`cannot_open`, `bad_signature`, `stale`, `unknown_device` …). */
  refused = $state.raw<Readonly<Record<string, number>>>({});

  readonly #people: People;
  readonly #meanwhile = new Meanwhile<News>();
  #mailroom: Mailroom | undefined;
  #terms: ThreadTerms | undefined;
  #drafts: Drafts | undefined;

  constructor(people: People) {
    this.#people = people;
  }

  /** Begins with an unlocked account's mail. */
  async unlocked(mailroom: Mailroom, terms: Omit<ThreadTerms, 'mailroom' | 'keepDraft'>): Promise<void> {
    this.#mailroom = mailroom;
    const drafts = new Drafts(mailroom.account);
    this.#drafts = drafts;
    const keepDraft = (peer: string, text: string) => {
      this.#putDraft(peer, text);
      drafts.keepSoon(peer, text);
    };
    this.#terms = { ...terms, mailroom, keepDraft };
    await this.reload();
  }

  /** Forgets everything, and writes drafts that are not written yet. */
  async locked(): Promise<void> {
    const drafts = this.#drafts;
    this.#drafts = undefined;
    this.#mailroom = undefined;
    this.#terms = undefined;
    this.list = [];
    this.isLoaded = false;
    this.thread = null;
    this.refused = {};
    await drafts?.keep();
  }

  /** The page may be gone in a moment: what was typed last is written now. */
  leaving(): void {
    this.#drafts?.keepNow();
  }

  async reload(): Promise<void> {
    await this.#meanwhile.read(
      () => this.#reload(),
      (news) => this.hear(news),
    );
  }

  async #reload(): Promise<void> {
    const mailbox = this.#mailroom?.account.mailbox;
    if (!mailbox) return;
    const [chats, drafts] = [await mailbox.chats(), await mailbox.notes(DRAFTS)];
    const kept = new Map([...drafts.values()].map((draft) => [(draft as Draft).peer, draft as Draft]));
    const begun = new Set(chats.map(({ peer }) => peer));
    const unsent = [...kept.values()].filter(({ peer }) => !begun.has(peer));
    const rows = [...chats, ...unsent.map(({ peer, at = 0 }) => emptyChat(peer, at))];
    this.refused = ((await mailbox.note(REFUSED)) as Record<string, number> | undefined) ?? {};
    this.list = sorted(rows.map((chat) => row(chat, kept.get(chat.peer)?.text ?? '')));
    this.isLoaded = true;
    const { thread } = this;
    await thread?.load(thread.draft);
  }

  /** Begins a chat with `alice`, `alice@server` or a key; the peer to go to. `not_found`, `wrong_server`, `invalid_handle`. */
  async begin(who: string): Promise<string> {
    const { primary } = await this.#people.find(who);
    return primary;
  }

  /** Opens a conversation; its messages come from storage. */
  async open(peer: string): Promise<Thread> {
    if (this.thread?.peer === peer) return this.thread;
    if (!this.#terms) throw new Error('nothing is unlocked');
    this.#people.look(peer);
    const thread = new Thread(peer, this.#terms);
    const draft = this.list.find((chat) => chat.peer === peer)?.draft ?? '';
    const waiting = this.#drafts?.waiting(peer);
    this.thread = thread;
    await thread.load(waiting ?? draft);
    return thread;
  }

  close(): void {
    this.thread = null;
  }

  /** Who has written something that was not read. */
  unreadPeers(): ReadonlySet<string> {
    return new Set(this.list.filter(({ unread }) => unread > 0).map(({ peer }) => peer));
  }

  /** The chat after (1) or before (-1) the open one in the list, for the keyboard. */
  neighbour(step: 1 | -1): string | null {
    const at = this.list.findIndex(({ peer }) => peer === this.thread?.peer);
    if (at < 0) return this.list.at(step > 0 ? 0 : -1)?.peer ?? null;
    return this.list[at + step]?.peer ?? null;
  }

  /** Takes in what has happened, here or in another tab. */
  hear(news: News): void {
    if (news.kind !== 'reloaded' && this.#meanwhile.keeps(news)) return;
    if (news.kind === 'mail' && news.chats.length > 0) this.#putRows(news.chats);
    if (news.kind === 'draft') this.#putDraft(news.peer, news.text);
    if (news.kind === 'refused') this.refused = news.counts;
    if (news.kind === 'reloaded') void this.reload();
    this.thread?.hear(news);
  }

  #putRows(chats: readonly KeptChat[]): void {
    const drafts = new Map(this.list.map(({ peer, draft }) => [peer, draft]));
    const changed = new Map(chats.map((chat) => [chat.peer, row(chat, drafts.get(chat.peer) ?? '')]));
    const rest = this.list.filter(({ peer }) => !changed.has(peer));
    this.list = sorted([...changed.values(), ...rest]);
  }

  #putDraft(peer: string, draft: string): void {
    const isListed = this.list.some((chat) => chat.peer === peer);
    if (isListed) this.list = this.list.map((chat) => (chat.peer === peer ? { ...chat, draft } : chat));
    else if (draft !== '') this.list = sorted([row(emptyChat(peer, Date.now()), draft), ...this.list]);
  }
}

function row({ peer, preview, lastIsMine, lastStatus, lastAt, unread }: KeptChat, draft: string): Chat {
  return { peer, preview, lastIsMine, lastStatus, lastAt, unread, draft };
}

function sorted(chats: Chat[]): Chat[] {
  return chats.sort((a, b) => b.lastAt - a.lastAt || a.peer.localeCompare(b.peer));
}
