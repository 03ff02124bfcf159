// For tests: somebody's unlocked account without a connection, which takes what others have sealed for it.
import { parse } from '../crypto/json.ts';
import { SecretKey } from '../crypto/keys.ts';
import type { Body } from '../crypto/message.ts';
import { seal, sealedText } from '../crypto/sealed.ts';
import { formatTime } from '../crypto/timestamp.ts';
import type { Stored } from '../nats/live.ts';
import { dataKeys } from '../storage/box.ts';
import { openDatabase } from '../storage/database.ts';
import { Mailbox } from '../storage/mailbox.ts';
import { tasks } from '../workers/tasks.ts';
import { Health } from './health.svelte.ts';
import { Incoming, type IncomingTerms } from './incoming.ts';
import { newId } from './letters.ts';
import { Mailroom } from './mailroom.ts';
import { Tabs } from './tabs.ts';
import { Unlocked, type News } from './unlocked.ts';

/** Seconds. */
export const NOW = 1_800_000_000;

/** A key that is the same in every test. */
export function someone(number: number): SecretKey {
  return SecretKey.fromSeed(new Uint8Array(32).fill(number));
}

export interface Mail {
  from: SecretKey;
  body: Body;
  /** Who signs, if it is not the sender. */
  signer?: SecretKey;
  id?: string;
  /** Seconds; now, if nothing else is said. */
  sentAt?: number;
  receivedAt?: number;
}

let count = 0;

/** Somebody's mail in a browser of theirs, as empty as on the first day. */
export async function receiving(
  me: SecretKey,
  heard: (news: News) => void = () => undefined,
  vouch: IncomingTerms['vouch'] = async () => false,
) {
  const name = `receiving-${count++}`;
  const database = await openDatabase({ outdated: () => undefined }, name);
  const { primary } = me;
  const account = new Unlocked({
    primary,
    handle: 'me',
    server: 'kez.lat',
    opener: me,
    mailbox: new Mailbox(database, primary, await dataKeys(new Uint8Array(32).fill(7))),
    tabs: new Tabs(name, () => undefined),
  });
  account.identity = SecretKey.fromSeed(me.seed());
  const mailroom = new Mailroom(account, { health: new Health(), heard, posted: () => undefined });
  const incoming = new Incoming({ mailroom, work: tasks, vouch, now: () => NOW });
  let seq = 0;
  let stored: Stored[] = [];
  const put = (sealed: string, receivedAt: number) =>
    stored.push({ seq: ++seq, receivedAt: formatTime(receivedAt), envelope: parse(sealed) });
  return {
    account,
    mailroom,
    /** These have come as they were sealed, at once. */
    async take(...sealed: readonly string[]): Promise<void> {
      stored = [];
      for (const one of sealed) put(one, NOW);
      await incoming.take(stored);
    },
    /** All of this has come, at once. */
    async receive(...mail: readonly Mail[]): Promise<void> {
      stored = [];
      for (const { from, body, signer = from, id = newId(), sentAt = NOW, receivedAt = NOW } of mail) {
        const device = signer === from ? undefined : signer.primary;
        const message = { id, primary: from.primary, device, to: primary, sentAt, body };
        const sealed = await seal(message, signer, crypto.getRandomValues(new Uint8Array(32)));
        put(sealedText(sealed), receivedAt);
      }
      await incoming.take(stored);
    },
    /** What could not be taken is offered again. */
    again: () => incoming.take(stored),
    /** The account is locked. */
    stop: () => incoming.stop(),
    /** What was set aside is looked at again. */
    resume: () => incoming.resume(),
  };
}
