// Whether an account stays unlocked over a reload: what was chosen holds at once, for all accounts and all tabs of a browser.
import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import { Accounts } from '../storage/accounts.ts';
import { openDatabase } from '../storage/database.ts';
import { Clock } from './clock.svelte.ts';
import { receiving, someone } from './receiving.ts';
import { Sessions } from './sessions.svelte.ts';
import { Settings } from './settings.svelte.ts';
import type { Unlocked } from './unlocked.ts';

let count = 0;

/** A browser whose tabs share what is stored. */
async function browser() {
  const database = await openDatabase({ outdated: () => undefined }, `sessions-${count++}`);
  const kept = new Map<string, string>();
  const store = {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
  };
  return {
    tab() {
      const [settings, rows] = [new Settings(store), new Accounts(database)];
      const sessionEnded = async () => undefined;
      const terms = { settings, clock: new Clock(), rows: () => rows, sessionEnded };
      return { settings, sessions: new Sessions(terms) };
    },
    /** Whose sessions there are. */
    kept: () => database.getAllKeys('sessions'),
  };
}

/** Somebody's account, open in one more tab. */
async function open(number: number): Promise<Unlocked> {
  const { account } = await receiving(someone(number));
  // Any key of its own: nothing is signed here.
  const device = someone(100 + number);
  return Object.assign(account, { device });
}

test('once that is switched off, no account has a session any more; once it is on, the open one has', async () => {
  const { tab, kept } = await browser();
  const { settings, sessions } = tab();
  const [mine, other] = [await open(1), await open(2)];
  await sessions.keep(mine);
  await sessions.keep(other);
  expect((await kept()).toSorted()).toEqual([mine.primary, other.primary].toSorted());
  settings.set('staysUnlocked', false);
  expect(await sessions.keep(mine)).toBe(true);
  expect(await kept()).toEqual([]);
  settings.set('staysUnlocked', true);
  expect(await sessions.keep(mine)).toBe(true);
  expect(await kept()).toEqual([mine.primary]);
});

test('what was chosen last holds, while the choice before is still being carried out', async () => {
  const { tab, kept } = await browser();
  const { settings, sessions } = tab();
  const mine = await open(1);
  const keeping = sessions.keep(mine);
  settings.set('staysUnlocked', false);
  await Promise.all([keeping, sessions.keep(mine)]);
  expect(await kept()).toEqual([]);
});

test('a tab that finds its session gone since it was switched off elsewhere has not been locked', async () => {
  const { tab, kept } = await browser();
  const [here, there] = [tab(), tab()];
  const [mine, mineThere] = [await open(1), await open(1)];
  await here.sessions.keep(mine);
  await there.sessions.keep(mineThere);
  here.settings.set('staysUnlocked', false);
  await here.sessions.keep(mine);
  // Its tab has not heard of it.
  expect(await there.sessions.keep(mineThere)).toBe(true);
  expect(await kept()).toEqual([]);
});

test('nor one that was asleep while it was switched off and on again; a lock is still one', async () => {
  const { tab, kept } = await browser();
  const [here, there] = [tab(), tab()];
  const [mine, mineThere] = [await open(1), await open(1)];
  await here.sessions.keep(mine);
  await there.sessions.keep(mineThere);
  for (const staysUnlocked of [false, true]) {
    here.settings.set('staysUnlocked', staysUnlocked);
    await here.sessions.keep(mine);
  }
  expect(await there.sessions.keep(mineThere)).toBe(true);
  await here.sessions.endOwn(mine);
  expect(await there.sessions.keep(mineThere)).toBe(false);
  expect(await kept()).toEqual([]);
});

test('nothing is kept or ended of an account that was locked meanwhile', async () => {
  const { tab, kept } = await browser();
  const { sessions } = tab();
  const [before, since] = [await open(1), await open(1)];
  await sessions.keep(since);
  before.wipe();
  expect(await sessions.keep(before)).toBe(false);
  expect(await kept()).toEqual([since.primary]);
});
