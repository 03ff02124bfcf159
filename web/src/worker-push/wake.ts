// A push: it says nothing, so each account's mailbox is looked into, and whatever comes of that, there is a notification.
import type { Ed25519Primary } from '../crypto/primary.ts';
import { limits } from '../nats/contract.ts';
import { Wakes, type WakeRecord } from '../storage/wakes.ts';
import { Look, type Letter, type Sight } from './look.ts';
import { tell, tellOfTest, tellPlainly, type Notice, type Tidings } from './notice.ts';
import { close, isShown, setBadge, show as showNow } from './notices.ts';

/** A look takes no longer, in milliseconds: then the plain notification is shown. Browsers do not wait much longer. */
const PATIENCE = 10_000;

/** What was found for one account. */
interface Found {
  record: WakeRecord;
  sight: Sight;
  tidings: Tidings;
  /** Whether there is something that no notification has told of. */
  isNews: boolean;
}

/** Looks, tells, and looks once more: of what comes right after a push there is no other. */
export async function wake(): Promise<void> {
  const first = await lookAll();
  await tellOf(first);
  if (!first.some(({ sight }) => sight.kind === 'seen')) return;
  await new Promise((resolve) => setTimeout(resolve, limits.push.collapseSeconds * 1000));
  await update(first, await lookAll());
}

async function lookAll(): Promise<Found[]> {
  try {
    const wakes = await Wakes.open();
    const found = await Promise.all((await wakes.all()).map(look));
    for (const { record, sight } of found)
      if (sight.kind === 'seen')
        await wakes.change(record.primary, (now) => ({ ...now, told: Math.max(now.told, sight.last) }));
    wakes.close();
    return found;
  } catch {
    return [];
  }
}

async function look(record: WakeRecord): Promise<Found> {
  const signal = AbortSignal.timeout(PATIENCE);
  const looking = new Look(record, { now: Date.now(), signal, origin: self.location.origin });
  const late = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason)),
  );
  try {
    return await Promise.race([late, seeAll(record, looking)]);
  } catch {
    return { record, sight: { kind: 'blind' }, tidings: { writers: [], text: null }, isNews: true };
  } finally {
    looking.close();
  }
}

async function seeAll(record: WakeRecord, looking: Look): Promise<Found> {
  const sight = await looking.see();
  const letters = sight.kind === 'seen' ? sight.letters : [];
  const tidings = await tidingsOf(letters, looking);
  const isNews = sight.kind === 'blind' || sight.hasSealed || letters.some(({ seq }) => seq > record.told);
  return { record, sight, tidings, isNews };
}

/** Who has written, by name, the last one first. */
async function tidingsOf(letters: readonly Letter[], looking: Look): Promise<Tidings> {
  const counts = new Map<Ed25519Primary, number>();
  for (const { peer } of letters.toReversed()) counts.set(peer, (counts.get(peer) ?? 0) + 1);
  const writers = [];
  // One question at a time is what the connection takes; and more names than three are not shown.
  for (const [peer, count] of counts)
    writers.push({ peer, count, name: writers.length < 3 ? await looking.handleOf(peer) : undefined });
  return { writers, text: letters.length === 1 ? (letters[0]?.text ?? null) : null };
}

/** At least one notification, whatever was found: browsers take the right to push from who shows none. */
async function tellOf(found: readonly Found[]): Promise<void> {
  const tested = found.find(isTested);
  const telling = found.filter(({ sight, isNews }) => sight.kind === 'seen' && isNews);
  const blind = found.filter(({ sight }) => sight.kind === 'blind');
  for (const one of telling) await show(noticeOf(one, found.length > 1), true);
  if (telling.length === 0 && tested) await showTest(tested);
  else if (telling.length === 0 && !isExplained(found)) await showPlainly(blind, found);
  else if (telling.length === 0) await showNothing(found);
  await closeRead(found);
  await setBadge(unread(found));
}

/** What stands there of messages that have been read on another device goes; a test stays. `first`: as the push has found it. */
async function closeRead(found: readonly Found[], first = found): Promise<void> {
  const tested = first.find(isTested)?.record.primary;
  for (const { record, sight } of found)
    if (sight.kind === 'seen' && sight.isReadElsewhere && record.primary !== tested)
      await close(record.primary);
}

function isTested({ record }: Found): boolean {
  return (record.testUntil ?? 0) > Date.now();
}

/** Whether it is known what the push was for: an account that nobody can look into is not suspected without need. */
function isExplained(found: readonly Found[]): boolean {
  const isBlind = found.length === 0 || found.some(({ sight }) => sight.kind === 'blind');
  return !isBlind || found.some(({ sight, record }) => sight.kind === 'seen' && sight.last > record.told);
}

async function showTest({ record }: Found): Promise<void> {
  await show(tellOfTest(record.primary), true);
  const wakes = await Wakes.open();
  await wakes.change(record.primary, ({ testUntil: _, ...rest }) => rest);
  wakes.close();
}

/** For something came, and nobody can say for whom, or what. */
async function showPlainly(blind: readonly Found[], all: readonly Found[]): Promise<void> {
  const [only] = blind;
  const isSure = blind.length === 1 && only !== undefined;
  await show(isSure ? plain(only, all.length > 1) : tellPlainly(null), true);
}

/** Nothing that anybody should hear of: what stood there stands there again, and otherwise nothing stays. */
async function showNothing(found: readonly Found[]): Promise<void> {
  for (const one of found)
    if (one.tidings.writers.length > 0 && (await isShown(one.record.primary)))
      return show(noticeOf(one, found.length > 1), false);
  await show(tellPlainly(null), false);
  await close(null);
}

/** More of the same changes the words, and so does what was read elsewhere; somebody new is worth another look. */
async function update(before: readonly Found[], after: readonly Found[]): Promise<void> {
  for (const one of after) {
    if (one.sight.kind !== 'seen') continue;
    const known = before.find(({ record }) => record.primary === one.record.primary)?.tidings.writers ?? [];
    const isFewer = one.tidings.writers.length > 0 && countOf(one.tidings) < countOf({ writers: known });
    // Where not all was read, what is missing may lie in between.
    const isLess = isFewer && one.sight.isWhole;
    if (!one.isNews && !(isLess && (await isShown(one.record.primary)))) continue;
    const isSomebodyNew = one.tidings.writers.some(({ peer }) => !known.some((other) => other.peer === peer));
    await show(noticeOf(one, after.length > 1), isSomebodyNew || known.length === 0);
  }
  await closeRead(after, before);
  await setBadge(unread(after));
}

/** A look takes its time, and so does a page's word: what was locked meanwhile is told of plainly, and names nobody. */
export async function show(notice: Notice, isNews: boolean): Promise<void> {
  const { account, peers } = notice.data;
  if (account === null || peers.length === 0) return showNow(notice, isNews);
  const isOpen = await isStillOpen(account);
  await showNow(isOpen ? notice : tellPlainly(account), isNews);
  // Or locked at this very moment, when it did not stand there yet and nobody could close it.
  if (isOpen && !(await isStillOpen(account))) await showNow(tellPlainly(account), false);
}

/** Whether the account may be told of by name now. */
async function isStillOpen(account: string): Promise<boolean> {
  try {
    const wakes = await Wakes.open();
    const record = await wakes.get(account);
    wakes.close();
    return record?.opening !== undefined && record.opening.until > Date.now();
  } catch {
    return false;
  }
}

function noticeOf(found: Found, hasOthers: boolean): Notice {
  const { record, tidings } = found;
  return tidings.writers.length > 0 ? tell(record.primary, tidings) : plain(found, hasOthers);
}

function plain({ record }: Found, hasOthers: boolean): Notice {
  return tellPlainly(record.primary, hasOthers ? `${record.handle}@${record.server}` : undefined);
}

/** How many are waiting; none where that cannot be said. */
function unread(found: readonly Found[]): number | undefined {
  const isKnown = ({ sight }: Found) => sight.kind === 'seen' && sight.isWhole && !sight.hasSealed;
  const isSure = found.length > 0 && found.every(isKnown);
  const counts = found.map(({ record, tidings }) => record.unread + countOf(tidings));
  return isSure ? counts.reduce((sum, count) => sum + count, 0) : undefined;
}

function countOf({ writers }: Pick<Tidings, 'writers'>): number {
  return writers.reduce((sum, { count }) => sum + count, 0);
}
