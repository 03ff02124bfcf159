// An account while it is unlocked: its keys, its mailbox and its tabs. All of it goes when it is locked.
import type { DeviceKey, Ed25519Signer, Opener, SecretKey } from '../crypto/keys.ts';
import type { Ed25519Primary } from '../crypto/primary.ts';
import { Refusal } from '../nats/refusal.ts';
import type { Speaker } from '../nats/session.ts';
import type { KeptChat, KeptMessage } from '../storage/kept.ts';
import type { Mailbox } from '../storage/mailbox.ts';
import type { Tabs } from './tabs.ts';

/** What tabs tell each other. */
export type News =
  | { kind: 'mail'; messages: KeptMessage[]; removed: string[]; chats: KeptChat[] }
  | { kind: 'stored'; peer: string; id: string }
  | { kind: 'draft'; peer: string; text: string }
  | { kind: 'outbox' }
  | { kind: 'refused'; counts: Record<string, number> }
  /** Somebody's profile, or the key of their picture. */
  | { kind: 'face'; primary: string }
  | { kind: 'reloaded' }
  | { kind: 'push' }
  | { kind: 'locked' }
  /** The account is being removed from this browser. */
  | { kind: 'removed' };

export class Unlocked {
  readonly primary: Ed25519Primary;
  readonly handle: string;
  readonly server: string;
  readonly opener: Opener;
  readonly mailbox: Mailbox;
  readonly tabs: Tabs<News>;
  /** In memory after the passphrase was typed, not after a reload. */
  identity: SecretKey | undefined;
  /** This browser's own key, once the sigchain says that it speaks for the identity. */
  device: DeviceKey | undefined;
  /** The id of the session that keeps it over a reload, once there was one. */
  session: string | undefined;
  /** Whether that session was kept, so that it can only be gone because somebody has locked. */
  isKept: boolean;
  isWiped = false;

  constructor(given: {
    primary: Ed25519Primary;
    handle: string;
    server: string;
    opener: Opener;
    mailbox: Mailbox;
    tabs: Tabs<News>;
    identity?: SecretKey | undefined;
    session?: string | undefined;
  }) {
    this.primary = given.primary;
    this.handle = given.handle;
    this.server = given.server;
    this.opener = given.opener;
    this.mailbox = given.mailbox;
    this.tabs = given.tabs;
    this.identity = given.identity;
    this.session = given.session;
    this.isKept = given.session !== undefined;
  }

  /** Who signs in and signs messages: the device, or the identity itself while there is none. */
  get speaker(): Speaker | undefined {
    const signer: Ed25519Signer | undefined = this.device ?? this.identity;
    return signer && { primary: this.primary, signer };
  }

  /** The key that continues the sigchain and signs the profile. */
  identityKey(): SecretKey {
    if (!this.identity) throw new Refusal('needs_passphrase');
    return this.identity;
  }

  /** No key of it stays in memory. Its tabs are left when nothing of it is written any more. */
  wipe(): void {
    this.isWiped = true;
    this.identity?.forget();
    this.identity = undefined;
    this.device = undefined;
  }
}

/** What takes part in unlocking and locking. */
export interface Part {
  unlocked(account: Unlocked): void | Promise<void>;
  locked(): void | Promise<void>;
}
