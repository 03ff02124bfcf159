// One open conversation: its messages, what is unread in it, and its draft.
import type { KeptMessage, KeptOutgoing, KeptStatus } from '../storage/kept.ts';
import { newId, write } from './letters.ts';
import type { Mailroom } from './mailroom.ts';
import { Meanwhile } from './meanwhile.ts';
import { failedNote } from './outbox.ts';
import { emptyChat, endingWith, withMessage, withUpdate } from './summary.ts';
import type { News } from './unlocked.ts';

/** `sending` → `sent` (stored by the server) → `delivered` → `read` (receipts that verify); `failed` says why. */
export type MessageStatus = KeptStatus;

/** A message as it is shown. */
export interface Message {
  /** 32 hex digits. */
  id: string;
  isMine: boolean;
  /** When it was written, in milliseconds. */
  at: number;
  /** The words; null for a kind that this version does not know ("needs a newer version"). Hostile: only ever text. */
  text: string | null;
  /** Of mine only; `null` for theirs. */
  status: MessageStatus | null;
  /** Why it failed: a code. */
  failure?: string;
}

/** Messages that are read from storage at first, and then at a time. */
const FIRST_PAGE = 100;
const PAGE = 200;
/** No more unread messages than these are read at once. */
const MOST_UNREAD = 2_000;
/** Ids in one receipt. */
const IDS = 500;

export interface ThreadTerms {
  mailroom: Mailroom;
  /** The draft has changed. */
  keepDraft(peer: string, text: string): void;
  readReceipts(): boolean;
  /** Whether other devices of mine are to know what I have read. */
  hasSiblings(): Promise<boolean>;
  /** Milliseconds. */
  now(): number;
  /** A message is on its way to somebody. */
  wrote(peer: string): void;
}

export class Thread {
  readonly peer: string;
  /** The oldest first. Only the newest few at first: `loadOlder` puts more in front. */
  messages = $state.raw<readonly Message[]>([]);
  hasOlder = $state(false);
  isLoadingOlder = $state(false);
  /** The first message that was unread when the chat was opened: the divider stands above it. */
  firstUnread = $state<string | null>(null);
  unread = $state(0);
  draft = $state('');

  readonly #terms: ThreadTerms;
  readonly #meanwhile = new Meanwhile<News>();
  /** The place of the oldest message that is here. */
  #oldest = 1;

  constructor(peer: string, terms: ThreadTerms) {
    this.peer = peer;
    this.#terms = terms;
  }

  /** Reads the newest messages, and as far back as there are unread ones. */
  async load(draft: string): Promise<void> {
    this.draft = draft;
    await this.#meanwhile.read(
      () => this.#load(),
      (news) => this.hear(news),
    );
  }

  /** Puts the page before in front. */
  async loadOlder(): Promise<void> {
    if (this.isLoadingOlder || !this.hasOlder) return;
    this.isLoadingOlder = true;
    try {
      await this.#meanwhile.read(
        () => this.#loadOlder(),
        (news) => this.hear(news),
      );
    } finally {
      this.isLoadingOlder = false;
    }
  }

  /** Loads as far back as needed for a message that search has found; whether it is there. */
  async loadUntil(id: string): Promise<boolean> {
    const has = () => this.messages.some((message) => message.id === id);
    const { mailbox } = this.#terms.mailroom.account;
    const [found] = await mailbox.byIds([id]);
    if (found?.peer !== this.peer) return has();
    while (!has() && this.hasOlder) await this.loadOlder();
    return has();
  }

  /** Shows the message at once, and sends it now or as soon as can be. Clears the draft. */
  async send(text: string): Promise<void> {
    const at = this.#terms.now();
    const kept: KeptMessage = {
      id: newId(),
      peer: this.peer,
      place: 0,
      isMine: true,
      at,
      text,
      status: 'sending',
    };
    this.setDraft('');
    this.messages = [...this.messages, shown(kept)];
    try {
      await this.#post(kept);
      this.#terms.wrote(this.peer);
    } catch (error) {
      this.messages = this.messages.filter(({ id }) => id !== kept.id);
      if (this.draft === '') this.setDraft(text);
      throw error;
    }
  }

  /** Tries a failed message again: the very same sealed bytes, as long as they are good. */
  async retry(id: string): Promise<void> {
    const { mailroom, now } = this.#terms;
    await mailroom.change(async (mailbox) => {
      const [message] = await mailbox.byIds([id]);
      if (message?.status !== 'failed') return undefined;
      const note = await failedNote(mailbox, id);
      const kept = (await mailbox.note(note)) as KeptOutgoing | undefined;
      const { failure: _, ...rest } = message;
      const again: KeptMessage = { ...rest, status: 'sending' };
      const outgoing = kept ?? (await this.#seal(again, now()));
      const chat = await mailbox.chat(this.peer);
      const chats = chat ? [withUpdate(chat, again)] : [];
      return { update: [again], send: [outgoing], chats, notes: { [note]: undefined } };
    });
  }

  /** Removes a failed message. */
  async discard(id: string): Promise<void> {
    await this.#terms.mailroom.change(async (mailbox) => {
      const [message] = await mailbox.byIds([id]);
      if (message?.status !== 'failed') return undefined;
      const chat = await mailbox.chat(this.peer);
      const left = (await mailbox.page(this.peer, undefined, 2)).filter((other) => other.id !== id).at(-1);
      const chats = chat?.lastId === id ? [endingWith(chat, left)] : [];
      return { remove: [message], chats, notes: { [await failedNote(mailbox, id)]: undefined } };
    });
  }

  /** What is typed; kept soon after. */
  setDraft(text: string): void {
    this.draft = text;
    this.#terms.keepDraft(this.peer, text);
  }

  /** Everything here was seen: read receipts go out, unread falls to 0. The divider stays until the chat is opened anew. */
  async markRead(): Promise<void> {
    if (this.unread === 0) return;
    this.unread = 0;
    await this.#terms.mailroom.change(async (mailbox) => {
      const chat = await mailbox.chat(this.peer);
      if (!chat) return undefined;
      const later = await mailbox.from(this.peer, chat.readPlace + 1);
      const unread = later.filter(({ isMine }) => !isMine);
      // Not the place of something of mine, which may be discarded: what comes then has it.
      const readPlace = unread.at(-1)?.place ?? chat.readPlace;
      const send = await this.#receipts(unread.map(({ id }) => id));
      return { chats: [{ ...chat, unread: 0, readPlace }], send };
    });
  }

  /** Takes in what has happened, here or in another tab. */
  hear(news: News): void {
    if (news.kind === 'draft' && news.peer === this.peer) this.draft = news.text;
    if (news.kind !== 'mail' && news.kind !== 'stored') return;
    if (this.#meanwhile.keeps(news)) return;
    if (news.kind === 'stored') return this.#hearStored(news.id);
    const mine = news.messages.filter(({ peer }) => peer === this.peer);
    const chat = news.chats.find(({ peer }) => peer === this.peer);
    if (chat) this.unread = chat.unread;
    if (mine.length === 0 && news.removed.length === 0) return;
    const fresh = new Map(mine.map((message) => [message.id, shown(message)]));
    const kept = this.messages
      .filter(({ id }) => !news.removed.includes(id))
      .map((message) => newer(message, take(fresh, message.id)));
    const isNew = (message: Message) =>
      mine.some(({ id, place }) => id === message.id && place >= this.#oldest);
    this.#show([...kept, ...[...fresh.values()].filter(isNew)]);
  }

  /** That I have read these: to who wrote them, unless I keep it to myself, and to my other devices. */
  async #receipts(ids: readonly string[]): Promise<KeptOutgoing[]> {
    const { mailroom, readReceipts, hasSiblings, now } = this.#terms;
    const { account } = mailroom;
    if (!account.speaker || ids.length === 0) return [];
    const readers = [
      ...(readReceipts() ? [this.peer] : []),
      ...((await hasSiblings()) ? [account.primary] : []),
    ];
    const parts = Array.from({ length: Math.ceil(ids.length / IDS) }, (_, at) =>
      ids.slice(at * IDS, (at + 1) * IDS),
    );
    const receipts = readers.flatMap((peer) =>
      parts.map((of) =>
        write(account, { id: newId(), peer, at: now(), body: { kind: 'receipt', status: 'read', of } }),
      ),
    );
    return Promise.all(receipts);
  }

  /** Before it is written: what is written later says the same, or more. */
  #hearStored(id: string): void {
    this.#show(
      this.messages.map((message) =>
        message.id === id && message.status === 'sending' ? { ...message, status: 'sent' } : message,
      ),
    );
  }

  /** What is there already is not drawn again. */
  #show(messages: readonly Message[]): void {
    const isNews =
      messages.length !== this.messages.length || messages.some((each, at) => each !== this.messages[at]);
    if (isNews) this.messages = messages;
  }

  async #load(): Promise<void> {
    const { mailbox } = this.#terms.mailroom.account;
    const chat = (await mailbox.chat(this.peer)) ?? emptyChat(this.peer, 0);
    const count = Math.min(Math.max(FIRST_PAGE, chat.unread + 20), MOST_UNREAD);
    const page = await mailbox.page(this.peer, undefined, count);
    const isUnread = ({ place, isMine }: KeptMessage) => !isMine && place > chat.readPlace;
    this.unread = chat.unread;
    this.firstUnread = chat.unread > 0 ? (page.find(isUnread)?.id ?? null) : null;
    this.#putInFront(page, count, []);
  }

  async #loadOlder(): Promise<void> {
    const { mailbox } = this.#terms.mailroom.account;
    const page = await mailbox.page(this.peer, this.#oldest, PAGE);
    this.#putInFront(page, PAGE, this.messages);
  }

  /** Writes the message and its sealed form; those who wait for their turn get it in the order in which they came. */
  async #post(kept: KeptMessage): Promise<void> {
    const sealing = this.#seal(kept, kept.at);
    // It is looked at below, perhaps after it has failed.
    sealing.catch(() => undefined);
    await this.#terms.mailroom.change(async (mailbox) => {
      const [sealed, chat] = await Promise.all([sealing, mailbox.chat(this.peer)]);
      const chats = [withMessage(chat ?? emptyChat(this.peer, kept.at), kept)];
      return { add: [kept], send: [sealed], chats };
    });
  }

  #seal({ id, text }: KeptMessage, at: number): Promise<KeptOutgoing> {
    const { account } = this.#terms.mailroom;
    return write(account, { id, peer: this.peer, at, body: { kind: 'text', text: text ?? '' } });
  }

  #putInFront(page: readonly KeptMessage[], count: number, rest: readonly Message[]): void {
    this.#oldest = page[0]?.place ?? 1;
    this.hasOlder = page.length === count && this.#oldest > 1;
    this.messages = [...page.map(shown), ...rest];
  }
}

function shown({ id, isMine, at, text, status, failure }: KeptMessage): Message {
  return { id, isMine, at, text, status, ...(failure ? { failure } : {}) };
}

/** The same object where nothing has changed. */
function newer(known: Message, fresh: Message | undefined): Message {
  const facts = ({ status, failure, text, at }: Message) => [status, failure, text, at];
  const isSame = !fresh || facts(fresh).every((fact, at) => fact === facts(known)[at]);
  return isSame ? known : fresh;
}

function take<Key, Value>(map: Map<Key, Value>, key: Key): Value | undefined {
  const value = map.get(key);
  map.delete(key);
  return value;
}
