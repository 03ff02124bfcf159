// Choices are the browser's, not a tab's: what one tab has chosen holds in the others, and none of them takes it back.
import { expect, test } from 'vitest';
import { Settings } from './settings.svelte.ts';

const NAME = 'kez.settings';

/** What a browser keeps. */
function storage(): Pick<Storage, 'getItem' | 'setItem'> {
  const kept = new Map<string, string>();
  return { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => void kept.set(name, value) };
}

test('a tab that was open before takes nothing back with a choice of its own', () => {
  const store = storage();
  const [first, before] = [new Settings(store), new Settings(store)];
  first.set('lockAfter', 5);
  first.set('readReceipts', false);
  before.set('theme', 'dark');
  expect(before).toMatchObject({ theme: 'dark', lockAfter: 5, readReceipts: false });
  expect(new Settings(store)).toMatchObject({ theme: 'dark', lockAfter: 5, readReceipts: false });
});

test('what another tab has chosen holds as soon as it is heard of, and is told once', () => {
  const store = storage();
  const told: string[] = [];
  const [first, other] = [new Settings(store), new Settings(store, (name) => told.push(name))];
  first.set('readReceipts', false);
  first.set('staysUnlocked', false);
  other.heard('kez.touched');
  expect(other).toMatchObject({ readReceipts: true, staysUnlocked: true });
  other.heard(NAME);
  other.heard(NAME);
  expect(other).toMatchObject({ readReceipts: false, staysUnlocked: false });
  expect(told.toSorted()).toEqual(['readReceipts', 'staysUnlocked']);
});

test('a choice that cannot be stored holds while the page is open, whatever else is chosen', () => {
  const store = storage();
  const full = () => {
    throw new DOMException('there is no room', 'QuotaExceededError');
  };
  const settings = new Settings({ ...store, setItem: full });
  settings.set('readReceipts', false);
  settings.set('lockAfter', 5);
  new Settings(store).set('theme', 'dark');
  settings.heard(NAME);
  expect(settings).toMatchObject({ readReceipts: false, lockAfter: 5, theme: 'dark' });
});

test('what is stored may be of any form; what this version does not know stays as it is', () => {
  const store = storage();
  store.setItem(NAME, JSON.stringify({ theme: 'plaid', lockAfter: -1, staysUnlocked: 'no', fontSize: 3 }));
  const settings = new Settings(store);
  expect(settings).toMatchObject({ theme: 'system', lockAfter: 0, staysUnlocked: true });
  settings.set('enterSends', false);
  expect(JSON.parse(store.getItem(NAME) ?? '')).toMatchObject({ enterSends: false, fontSize: 3 });
  for (const broken of ['{', '[]', 'null', '7']) {
    store.setItem(NAME, broken);
    settings.heard(NAME);
    expect(settings).toMatchObject({ enterSends: false, theme: 'system' });
  }
});
