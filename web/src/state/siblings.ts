// My other devices: whether there are any, which see what I send and what I have read only if they are told.
import type { NatsConnection } from '@nats-io/nats-core';
import { hexOf, parseEd25519 } from '../crypto/primary.ts';
import { subjects } from '../nats/contract.ts';
import type { KeptMessage, KeptOutgoing } from '../storage/kept.ts';
import type { Chains } from './chains.svelte.ts';
import { newId, write } from './letters.ts';
import type { Unlocked } from './unlocked.ts';

export class Siblings {
  readonly #account: Unlocked;
  readonly #chains: Pick<Chains, 'read' | 'remembered'>;
  #devices: readonly string[] | undefined;

  constructor(account: Unlocked, chains: Pick<Chains, 'read' | 'remembered'>) {
    this.#account = account;
    this.#chains = chains;
  }

  /** Looks now, and whenever my sigchain grows, for as long as the client lives. */
  follow(client: NatsConnection): void {
    const subject = subjects.sigchainFeed('ed25519', hexOf(this.#account.primary));
    client.subscribe(subject, { callback: () => void this.#look() });
    void this.#look();
  }

  /** A copy of what was sent, if somebody wants it: a text to myself that says of what it is a copy. */
  async copy({ id, peer, at, text }: KeptMessage): Promise<KeptOutgoing | undefined> {
    const { primary, speaker } = this.#account;
    if (text === null || peer === primary || !speaker || !(await this.exist())) return undefined;
    const copyOf = { to: parseEd25519(peer), id };
    return write(this.#account, { id: newId(), peer: primary, at, body: { kind: 'text', text, copyOf } });
  }

  /** As the sigchain says; before it was asked, as it said when it was read last, perhaps by another page. */
  async exist(): Promise<boolean> {
    const { primary, device: mine } = this.#account;
    const devices = this.#devices ?? (await this.#chains.remembered(primary));
    return devices.some((device) => device !== mine?.primary);
  }

  async #look(): Promise<void> {
    try {
      const { devices, fault } = await this.#chains.read(this.#account.primary);
      if (!fault) this.#devices = devices.map(({ device }) => device);
    } catch {
      // What was known before holds until the sigchain service is back.
    }
  }
}
