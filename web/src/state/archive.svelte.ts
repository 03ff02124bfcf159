// Taking everything along: an encrypted archive of messages, written and read.
import { formatTime } from '../crypto/timestamp.ts';
import { Refusal } from '../nats/refusal.ts';
import { ArchiveWriter, openArchive } from '../storage/archive.ts';
import type { KeptChat, KeptMessage } from '../storage/kept.ts';
import type { Mailbox } from '../storage/mailbox.ts';
import type { Tasks } from '../workers/tasks.ts';
import type { Clock } from './clock.svelte.ts';
import { DRAFTS } from './drafts.ts';
import { emptyChat, endingWith } from './summary.ts';
import type { News, Unlocked } from './unlocked.ts';

/** What an archive brought. */
export interface Imported {
  messages: number;
  /** Messages that were here already. */
  known: number;
}

/** Messages that are read at a time. */
const BATCH = 500;

export class Archive {
  /** Messages done so far of an export or import on its way; null when none is. */
  progress = $state.raw<{ done: number; of: number } | null>(null);

  readonly #work: Pick<Tasks, 'derive' | 'newDerivation'>;
  readonly #clock: Clock;
  #account: Unlocked | undefined;
  #tell: (news: News) => void = () => undefined;

  constructor(work: Pick<Tasks, 'derive' | 'newDerivation'>, clock: Clock) {
    this.#work = work;
    this.#clock = clock;
  }

  unlocked(account: Unlocked, tell: (news: News) => void): void {
    this.#account = account;
    this.#tell = tell;
  }

  locked(): void {
    this.#account = undefined;
    this.#tell = () => undefined;
    this.progress = null;
  }

  /** All messages and drafts of the current account, sealed under a passphrase of its own. */
  async export(passphrase: string): Promise<Blob> {
    const account = this.#unlocked();
    const { mailbox, primary, handle, server } = account;
    const writer = new ArchiveWriter({ primary, handle, server }, this.#clock.seconds());
    const of = await mailbox.count();
    try {
      this.progress = { done: 0, of };
      for (const { peer } of await mailbox.chats()) await this.#write(writer, account, peer);
      for (const draft of (await mailbox.notes(DRAFTS)).values()) {
        const { peer, text } = draft as { peer: string; text: string };
        writer.draft(peer, text);
      }
      this.#mustBeOpen(account);
      const derivation = await this.#work.newDerivation();
      this.#mustBeOpen(account);
      const file = await writer.seal(passphrase, derivation, (...given) => this.#work.derive(...given));
      return new Blob([file], { type: 'application/octet-stream' });
    } finally {
      this.progress = null;
    }
  }

  /** What the file would be called. */
  fileName(): string {
    const day = formatTime(this.#clock.seconds()).slice(0, 10);
    return `kez-${this.#account?.handle ?? 'archive'}-${day}.kez`;
  }

  /** Adds what is not here yet. `wrong_passphrase`, `malformed`, `wrong_primary` for somebody else's. */
  async import(file: Blob, passphrase: string): Promise<Imported> {
    const account = this.#unlocked();
    const { mailbox, primary, tabs } = account;
    const bytes = new Uint8Array(await file.arrayBuffer());
    this.#mustBeOpen(account);
    const content = await openArchive(bytes, passphrase, (...given) => this.#work.derive(...given));
    if (content.owner.primary !== primary) throw new Refusal('wrong_primary');
    const chats = byPeer(content.messages);
    let known = 0;
    try {
      this.progress = { done: 0, of: content.messages.length };
      for (const [peer, messages] of chats) {
        this.#mustBeOpen(account);
        known += await tabs.exclusively(() => merge(mailbox, peer, messages));
        this.progress = { ...this.progress, done: this.progress.done + messages.length };
      }
      this.#mustBeOpen(account);
      await addDrafts(mailbox, content.drafts);
    } finally {
      this.progress = null;
      this.#tell({ kind: 'reloaded' });
    }
    return { messages: content.messages.length - known, known };
  }

  async #write(writer: ArchiveWriter, account: Unlocked, peer: string): Promise<void> {
    for (let place = 1; ;) {
      const messages = await account.mailbox.from(peer, place, BATCH);
      this.#mustBeOpen(account);
      for (const message of messages) writer.message(message);
      const last = messages.at(-1);
      if (!last) return;
      place = last.place + 1;
      const { done, of } = this.progress ?? { done: 0, of: 0 };
      this.progress = { done: done + messages.length, of };
    }
  }

  /** Locked meanwhile: nothing more is read or written, and no worker is started for it. */
  #mustBeOpen(account: Unlocked): void {
    if (this.#account !== account) throw new Refusal('locked');
  }

  #unlocked(): Unlocked {
    if (!this.#account) throw new Refusal('locked');
    return this.#account;
  }
}

/** Puts what an archive brings between what is there, by time; how many of them were there. */
async function merge(mailbox: Mailbox, peer: string, brought: readonly KeptMessage[]): Promise<number> {
  const here = await mailbox.from(peer, 1);
  const ids = new Set(here.map(({ id }) => id));
  const fresh = brought.filter(({ id }) => !ids.has(id) && ids.add(id));
  if (fresh.length === 0) return brought.length;
  // Stable: what was written in the same second stays in its order.
  const all = [...fresh, ...here].sort((a, b) => Math.floor(a.at / 1000) - Math.floor(b.at / 1000));
  await mailbox.replace(peer, all);
  const chat = (await mailbox.chat(peer)) ?? emptyChat(peer, all.at(-1)?.at ?? 0);
  await mailbox.commit({ chats: [readAsBefore(chat, here, all)] });
  return brought.length - fresh.length;
}

/** What was unread still is; what came with the archive is not. */
function readAsBefore(chat: KeptChat, here: readonly KeptMessage[], all: readonly KeptMessage[]): KeptChat {
  const unread = new Set(
    here.filter(({ place, isMine }) => !isMine && place > chat.readPlace).map(({ id }) => id),
  );
  const firstUnread = all.findIndex(({ id }) => unread.has(id));
  const readPlace = firstUnread < 0 ? all.length : firstUnread;
  return { ...endingWith(chat, all.at(-1)), readPlace };
}

/** A draft that is being typed here is not replaced. */
async function addDrafts(mailbox: Mailbox, drafts: readonly { peer: string; text: string }[]): Promise<void> {
  for (const draft of drafts) {
    const name = await mailbox.noteAbout('draft', draft.peer);
    if ((await mailbox.note(name)) === undefined) await mailbox.commit({ notes: { [name]: draft } });
  }
}

function byPeer(messages: readonly KeptMessage[]): Map<string, KeptMessage[]> {
  const chats = new Map<string, KeptMessage[]>();
  for (const message of messages) {
    const chat = chats.get(message.peer) ?? [];
    chat.push(message);
    chats.set(message.peer, chat);
  }
  return chats;
}
