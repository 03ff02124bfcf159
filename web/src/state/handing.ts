// Handing the key of my picture to contacts, that is to everybody I have written to: when the picture changes to all of them, one
// by one, and again at most once a week with a message, for devices that are new to them. It goes through the outbox.
import type { KeptOutgoing } from '../storage/kept.ts';
import type { Mailbox } from '../storage/mailbox.ts';
import { newId, write } from './letters.ts';
import type { Mailroom } from './mailroom.ts';
import { handed, handedNote, type Handed, type PictureKey } from './picture-notes.ts';

const A_WEEK = 7 * 24 * 60 * 60 * 1000;
/** Messages that are looked at together for one of mine. */
const PAGE = 200;

/** The note that says which picture's key is being handed to everybody. */
const UNDER_WAY = 'picture-handing';

export interface HandingTerms {
  mailroom: Mailroom;
  /** My picture, if I have one. */
  mine(): PictureKey | null;
  /** Milliseconds. */
  now(): number;
  /** What passes between one contact and the next, unless the signal ends it before. */
  pause(signal: AbortSignal): Promise<void>;
}

export class Handing {
  readonly #terms: HandingTerms;
  /** To whom it was handed, as far as this page knows: whoever writes a message does not wait for the disk. */
  readonly #known = new Map<string, Handed>();
  readonly #closing = new AbortController();

  constructor(terms: HandingTerms) {
    this.#terms = terms;
  }

  /** The picture has changed: everybody gets its key, also if this page goes before the last one has it. */
  async begin(picture: string): Promise<void> {
    await this.#terms.mailroom.account.mailbox.commit({ notes: { [UNDER_WAY]: picture } });
    // Nobody waits for the last of them; what fails now goes on with the next page.
    void this.resume().catch(() => undefined);
  }

  /** Goes on where another page has stopped. */
  async resume(): Promise<void> {
    const { mailroom, mine } = this.#terms;
    const { mailbox } = mailroom.account;
    const picture = (await mailbox.note(UNDER_WAY)) as string | undefined;
    if (picture === undefined || this.#isClosed) return;
    for (const { peer } of await mailbox.chats()) {
      if (mine()?.picture !== picture || !mailroom.account.speaker) return;
      if (!(await isContact(mailbox, peer))) continue;
      if (await this.#hand(peer, (before) => before.picture !== picture))
        await this.#terms.pause(this.#closing.signal);
      if (this.#isClosed) return;
    }
    await mailroom.change(async (mailbox) =>
      (await mailbox.note(UNDER_WAY)) === picture ? { notes: { [UNDER_WAY]: undefined } } : undefined,
    );
  }

  /** I have written to somebody. */
  wrote(peer: string): void {
    // What fails is made up for with the next message.
    void this.#wrote(peer).catch(() => undefined);
  }

  close(): void {
    this.#closing.abort();
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  async #wrote(peer: string): Promise<void> {
    const { mailroom, mine, now } = this.#terms;
    const picture = mine()?.picture;
    if (picture === undefined || peer === mailroom.account.primary || this.#isClosed) return;
    const isOld = ({ picture: before, at }: Handed) => before !== picture || now() - at >= A_WEEK;
    const known = this.#known.get(peer);
    if (!known || isOld(known)) await this.#hand(peer, isOld);
  }

  /** Puts the key into the outbox, unless it was sent before and need not be sent again; whether it did. */
  async #hand(peer: string, isOld: (before: Handed) => boolean): Promise<boolean> {
    const { mailroom, mine, now } = this.#terms;
    let isHanded = false;
    await mailroom.change(async (mailbox) => {
      const before = await handed(mailbox, peer);
      const picture = mine();
      if (!picture || this.#isClosed) return undefined;
      if (before && !isOld(before)) {
        this.#known.set(peer, before);
        return undefined;
      }
      const note = { picture: picture.picture, at: now() };
      const body = { kind: 'picture_key', key: picture.key, picture: picture.picture } as const;
      const sealed = await write(mailroom.account, { id: newId(), peer, at: now(), body });
      this.#known.set(peer, note);
      isHanded = true;
      // An older key that has not left yet is of no use any more.
      const sent = await waiting(mailbox, peer);
      return { send: [sealed], sent, notes: { [await handedNote(mailbox, peer)]: note } };
    });
    return isHanded;
  }
}

/** Somebody I have written to. */
async function isContact(mailbox: Mailbox, peer: string): Promise<boolean> {
  for (let before: number | undefined; ;) {
    const page = await mailbox.page(peer, before, PAGE);
    if (page.some(({ isMine, status }) => isMine && status !== 'failed')) return peer !== mailbox.account;
    if (page.length < PAGE) return false;
    before = page[0]?.place;
  }
}

async function waiting(mailbox: Mailbox, peer: string): Promise<number[]> {
  const isKey = (outgoing: KeptOutgoing) => outgoing.kind === 'picture_key' && outgoing.peer === peer;
  return (await mailbox.outbox()).filter(isKey).map(({ place }) => place);
}
