// My other devices: whether there are any, which see what I send and what I have read only if they are told.
import type { NatsConnection } from '@nats-io/nats-core';
import { hexOf, parseEd25519 } from '../crypto/primary.ts';
import { subjects } from '../nats/contract.ts';
import { delay, pause } from '../nats/delay.ts';
import type { KeptMessage, KeptOutgoing } from '../storage/kept.ts';
import type { Mailbox } from '../storage/mailbox.ts';
import type { Chains } from './chains.svelte.ts';
import { newId, write } from './letters.ts';
import type { Mailroom } from './mailroom.ts';

/** The name of a note: messages that were sent before it was known whether anybody wants copies of them, by their ids. */
const UNCOPIED = 'uncopied';

export class Siblings {
  readonly #mailroom: Mailroom;
  readonly #chains: Pick<Chains, 'read' | 'remembered'>;
  #devices: readonly string[] | undefined;
  /** Whether the sigchain has been read since it may have grown unseen. */
  #isSure = false;
  #client: Pick<NatsConnection, 'subscribe' | 'isClosed'> | undefined;
  #looking = new AbortController();
  #copying: Promise<void> = Promise.resolve();

  constructor(mailroom: Mailroom, chains: Pick<Chains, 'read' | 'remembered'>) {
    this.#mailroom = mailroom;
    this.#chains = chains;
  }

  /** Looks now, and whenever my sigchain grows, for as long as the client lives. */
  follow(client: Pick<NatsConnection, 'subscribe' | 'isClosed'>): void {
    this.#client = client;
    const subject = subjects.sigchainFeed('ed25519', hexOf(this.#mailroom.account.primary));
    client.subscribe(subject, { callback: () => this.disturb() });
    this.disturb();
  }

  /** My sigchain may have grown. */
  disturb(): void {
    this.#looking.abort();
    this.#looking = new AbortController();
    this.#isSure = false;
    void this.#look(this.#looking.signal);
  }

  /** When this returns, nothing is read or written any more; the client is closed. */
  async close(): Promise<void> {
    this.#looking.abort();
    await this.#copying;
  }

  /**
   * A copy of what was sent, if somebody wants it. While it is not known whether anybody does, which holds no sending up, it is
   * noted for later. Nothing else may change meanwhile.
   */
  async copy(message: KeptMessage): Promise<KeptOutgoing | undefined> {
    const { mailbox, primary, speaker } = this.#mailroom.account;
    if (message.text === null || message.peer === primary || !speaker) return undefined;
    if (await this.exist()) return this.#copyOf(message);
    if (!this.#isSure) {
      const ids = new Set(await uncopied(mailbox)).add(message.id);
      await mailbox.commit({ notes: { [UNCOPIED]: [...ids] } });
    }
    return undefined;
  }

  /** As the sigchain says; before it was asked, as it said when it was read last, perhaps by another page. */
  async exist(): Promise<boolean> {
    const { primary, device: mine } = this.#mailroom.account;
    const devices = this.#devices ?? (await this.#chains.remembered(primary));
    return devices.some((device) => device !== mine?.primary);
  }

  /** Until the sigchain service answers; what was known before holds meanwhile, and also where the chain is not to be trusted. */
  async #look(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted && !this.#client?.isClosed(); failures++) {
      try {
        const { devices, fault } = await this.#chains.read(this.#mailroom.account.primary);
        if (signal.aborted) return;
        if (!fault) this.#devices = devices.map(({ device }) => device);
        this.#isSure = true;
        this.#copying = this.#copying.then(() => this.#copyLate()).catch(() => undefined);
        return;
      } catch {
        await pause(delay(failures), signal);
      }
    }
  }

  /** What was noted. Where it cannot be written now, it stays noted until the next look. */
  async #copyLate(): Promise<void> {
    await this.#mailroom.change(async (mailbox) => {
      const ids = await uncopied(mailbox);
      if (ids.length === 0 || !this.#isSure || !this.#mailroom.account.speaker) return undefined;
      const messages = (await this.exist()) ? await mailbox.byIds(ids) : [];
      const sent = messages.filter(({ status }) => status !== 'sending' && status !== 'failed');
      // A copy may be too long to be sealed.
      const copies = await Promise.all(sent.map((one) => this.#copyOf(one).catch(() => undefined)));
      return { send: copies.filter((copy) => copy !== undefined), notes: { [UNCOPIED]: undefined } };
    });
  }

  /** A text to myself that says of what it is a copy. */
  #copyOf({ id, peer, at, text }: KeptMessage): Promise<KeptOutgoing> {
    const { account } = this.#mailroom;
    const copyOf = { to: parseEd25519(peer), id };
    const body = { kind: 'text', text: text ?? '', copyOf } as const;
    return write(account, { id: newId(), peer: account.primary, at, body });
  }
}

async function uncopied(mailbox: Mailbox): Promise<readonly string[]> {
  return ((await mailbox.note(UNCOPIED)) as string[] | undefined) ?? [];
}
