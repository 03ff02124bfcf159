// What state decides without a server: rows of chats, what people type, locks, settings.
import { describe, expect, test } from 'vitest';
import { phraseOf } from '../crypto/phrase.ts';
import type { KeptMessage } from '../storage/kept.ts';
import type { MarkerStore } from '../storage/presence.ts';
import { AppLock } from './app-lock.ts';
import { placeOf, subjectOf } from './channels.ts';
import { Clock } from './clock.svelte.ts';
import { deviceName } from './device.ts';
import { localHandle } from './people.svelte.ts';
import { codeOf, Refusal } from './refusal.ts';
import { primaryOfSecret, readSecret } from './secret-reading.ts';
import { Settings } from './settings.svelte.ts';
import { emptyChat, endingWith, previewOf, withMessage, withUpdate } from './summary.ts';
import { Tabs } from './tabs.ts';

function store(): MarkerStore {
  const held = new Map<string, string>();
  return {
    getItem: (name) => held.get(name) ?? null,
    setItem: (name, value) => void held.set(name, value),
    removeItem: (name) => void held.delete(name),
  };
}

describe('the row of a chat', () => {
  const theirs: KeptMessage = {
    id: 'a',
    peer: 'p',
    place: 1,
    isMine: false,
    at: 5,
    text: 'hi',
    status: null,
  };

  test('follows what happens in it', () => {
    const chat = withMessage(emptyChat('p', 1), theirs);
    expect(chat).toMatchObject({ preview: 'hi', unread: 1, lastIsMine: false, lastAt: 5 });
    const mine: KeptMessage = { ...theirs, id: 'b', isMine: true, text: 'yes', status: 'sending' };
    const answered = withMessage(chat, mine);
    expect(answered).toMatchObject({ preview: 'yes', unread: 1, lastIsMine: true, lastStatus: 'sending' });
    expect(withUpdate(answered, { ...mine, status: 'read' }).lastStatus).toBe('read');
    expect(withUpdate(answered, { ...theirs, text: 'other' })).toBe(answered);
    expect(endingWith(answered, theirs)).toMatchObject({ preview: 'hi', unread: 1 });
    expect(endingWith(answered, undefined)).toMatchObject({
      preview: '',
      lastId: null,
      unread: 1,
      lastAt: 5,
    });
  });

  test('is one line, and breaks no character', () => {
    expect(previewOf('  a\n\n b\tc ')).toBe('a b c');
    expect(previewOf(null)).toBe('');
    expect(Array.from(previewOf('👩‍👧'.repeat(500)))).toHaveLength(120);
    expect(previewOf('😀'.repeat(500)).isWellFormed()).toBe(true);
  });
});

describe('what somebody types to restore', () => {
  const twelve = phraseOf(new Uint8Array(16));
  const twentyFour = phraseOf(new Uint8Array(32));

  test.each([
    ['', { kind: 'empty' }],
    ['aban', { kind: 'incomplete', words: 1 }],
    ['abandon ', { kind: 'incomplete', words: 1 }],
    [twelve, { kind: 'words', count: 12 }],
    [`  ${twelve.toUpperCase().replaceAll(' ', '\n')} `, { kind: 'words', count: 12 }],
    [`${twelve} abandon`, { kind: 'incomplete', words: 13 }],
    [twentyFour, { kind: 'words', count: 24 }],
    ['0a'.repeat(32), { kind: 'seed' }],
    ['0a0a0a0a', { kind: 'incomplete', digits: 8 }],
    ['0a'.repeat(32).slice(1), { kind: 'incomplete', digits: 63 }],
    ['12', { kind: 'incomplete', digits: 2 }],
    ['1. ', { kind: 'empty' }],
    ['abandon 2', { kind: 'incomplete', words: 1 }],
    ['ABANDON,', { kind: 'incomplete', words: 1 }],
  ])('%j is taken as what it is', (text, reading) => {
    expect(readSecret(text)).toEqual(reading);
  });

  test.each([
    ['numbers with a dot', (word: string, place: number) => `${place}. ${word}`],
    ['numbers next to the words', (word: string, place: number) => `${place}.${word}`],
    ['numbers with a bracket', (word: string, place: number) => `${place}) ${word}`],
    ['bare numbers', (word: string, place: number) => `${place} ${word}`],
    ['commas', (word: string) => `${word},`],
  ])('a phrase may be a list with %s', (_, written) => {
    const pasted = twelve
      .split(' ')
      .map((word, index) => written(word, index + 1))
      .join('\n');
    expect(readSecret(pasted)).toEqual({ kind: 'words', count: 12 });
    expect(primaryOfSecret(pasted)).toBe(primaryOfSecret(twelve));
  });

  test.each([
    ['1. abandon 2. abnadon', { code: 'unknown_word', word: 'abnadon', position: 2 }],
    ['123 abandon', { code: 'unknown_word', word: '123', position: 1 }],
    ['abandon abnadon zoo', { code: 'unknown_word', word: 'abnadon', position: 2 }],
    ['qx', { code: 'unknown_word', word: 'qx', position: 1 }],
    ['aban ', { code: 'unknown_word', word: 'aban', position: 1 }],
    [`${twelve.slice(0, -5)}zoo`, { code: 'bad_checksum' }],
    [`${twentyFour} zoo`, { code: 'wrong_count' }],
    ['0g'.repeat(32), { code: 'bad_seed' }],
    ['0a'.repeat(33), { code: 'bad_seed' }],
  ])('%j is told what is wrong with it', (text, wrong) => {
    expect(readSecret(text)).toMatchObject({ kind: 'wrong', ...wrong });
  });
});

test('accounts are named as people paste them', () => {
  expect(subjectOf('github', '@Alice')).toEqual({ subject: 'github:alice' });
  expect(subjectOf('github', 'https://github.com/Alice/repo')).toEqual({ subject: 'github:alice' });
  expect(subjectOf('dns', 'https://Alice.Example/')).toEqual({ subject: 'dns:alice.example' });
  expect(subjectOf('web', 'alice.example/')).toEqual({ subject: 'web:https://alice.example' });
  expect(subjectOf('ap', 'https://social.example/@alice')).toEqual({ subject: 'ap:alice@social.example' });
  expect(subjectOf('ap', '@alice@social.example')).toEqual({ subject: 'ap:alice@social.example' });
  for (const [channel, text] of [
    ['github', ' '],
    ['dns', 'localhost'],
    ['web', 'http://alice.example'],
    ['ap', 'alice'],
    ['nostr', 'alice'],
  ] as const) {
    expect(subjectOf(channel, text), text).toEqual({ code: 'malformed' });
  }
  expect(placeOf('dns:a.example')).toBe('_kez.a.example');
  expect(placeOf('web:https://a.example/me/')).toBe('https://a.example/me/.well-known/kez.json');
});

test('handles are of this server', () => {
  expect([localHandle('alice', 'kez.lat'), localHandle('alice@kez.lat', 'kez.lat')]).toEqual([
    'alice',
    'alice',
  ]);
  expect(() => localHandle('alice@example.org', 'kez.lat')).toThrow(new Refusal('wrong_server'));
  expect(() => localHandle('Alice', 'kez.lat')).toThrow('invalid_handle');
});

test('every error has a code', () => {
  expect(codeOf(new Refusal('conflict'))).toBe('conflict');
  expect([codeOf(new Error('x')), codeOf('x'), codeOf(new DOMException('x'))]).toEqual(
    Array(3).fill('internal'),
  );
});

test('devices are called what they are', () => {
  const linux =
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Safari/537.36';
  const phone =
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Safari/604.1';
  expect([deviceName(linux), deviceName(phone), deviceName('')]).toEqual([
    'Chrome on Linux',
    'Safari on iOS',
    'A browser',
  ]);
});

test('the app lock counts from the last touch in any tab', () => {
  const [shared, clock] = [store(), new Clock()];
  let now = 1_000_000;
  clock.now = () => now;
  const settings = new Settings(shared);
  let locked = 0;
  const [here, there] = [0, 1].map(() => new AppLock(settings, clock, shared, () => locked++));
  here?.touch();
  now += 600_000;
  expect(here?.isOver()).toBe(false);
  settings.set('lockAfter', 5);
  expect(here?.isOver()).toBe(true);
  there?.touch();
  expect(here?.isOver()).toBe(false);
  now += 300_000;
  here?.look();
  expect(locked).toBe(1);
});

test('settings are remembered, and broken ones are not believed', () => {
  const shared = store();
  new Settings(shared).set('theme', 'light');
  expect(new Settings(shared)).toMatchObject({ theme: 'light', enterSends: true });
  shared.setItem('kez.settings', '{"theme":"pink","lockAfter":-1,"enterSends":"no","readReceipts":false}');
  expect(new Settings(shared)).toMatchObject({
    theme: 'system',
    lockAfter: 0,
    enterSends: true,
    readReceipts: false,
  });
  shared.setItem('kez.settings', 'null');
  expect(new Settings(shared).theme).toBe('system');
});

describe('tabs', () => {
  test('are led by one, and by the next when that one is closed', async () => {
    const led: number[] = [];
    const [first, second, third] = [1, 2, 3].map((number) => {
      const tabs = new Tabs<string>('leading', () => undefined);
      tabs.lead(() => led.push(number));
      return tabs;
    });
    await expect.poll(() => led).toEqual([1]);
    second?.close();
    first?.close();
    await expect.poll(() => led).toEqual([1, 3]);
    expect([first?.leads, second?.leads, third?.leads]).toEqual([false, false, true]);
    third?.close();
  });

  test('give up leading to one that waits, and may ask for it again', async () => {
    const led: string[] = [];
    const turns: AbortSignal[] = [];
    const tab = (name: string) => {
      const tabs = new Tabs<string>('giving up', () => undefined);
      const ask = () =>
        tabs.lead((turn) => {
          led.push(name);
          turns.push(turn);
        });
      ask();
      return { tabs, ask };
    };
    const [first, second] = [tab('first'), tab('second')];
    await expect.poll(() => led).toEqual(['first']);
    first.tabs.giveUp();
    expect([first.tabs.leads, turns[0]?.aborted]).toEqual([false, true]);
    first.ask();
    await expect.poll(() => led).toEqual(['first', 'second']);
    expect([first.tabs.leads, second.tabs.leads]).toEqual([false, true]);
    second.tabs.giveUp();
    await expect.poll(() => led).toEqual(['first', 'second', 'first']);
    expect([first.tabs.leads, second.tabs.leads]).toEqual([true, false]);
    first.tabs.close();
    second.tabs.close();
  });

  test('change what is stored one after the other, and tell each other', async () => {
    const heard: string[] = [];
    const here = new Tabs<string>('telling', (news) => heard.push(`here ${news}`));
    const there = new Tabs<string>('telling', (news) => heard.push(`there ${news}`));
    const order: string[] = [];
    const slow = here.exclusively(async () => {
      order.push('begins');
      await new Promise(setImmediate);
      order.push('ends');
    });
    await Promise.all([slow, there.exclusively(async () => order.push('next'))]);
    expect(order).toEqual(['begins', 'ends', 'next']);
    await expect(here.exclusively(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await there.exclusively(async () => 'goes on')).toBe('goes on');
    here.tell('a');
    await expect.poll(() => heard).toEqual(['there a']);
    here.close();
    there.close();
  });
});

test('a clock that is wrong is noticed', () => {
  const clock = new Clock();
  clock.now = () => 1_000_000_000_000;
  clock.hear(1_000_000_000 - 30);
  expect([clock.ahead, clock.isWrong]).toEqual([30, false]);
  clock.hear(1_000_000_000 + 301);
  expect([clock.ahead, clock.isWrong, clock.isTooWrong]).toEqual([-301, true, true]);
  expect([clock.seconds(), clock.serverSeconds()]).toEqual([1_000_000_000, 1_000_000_301]);
});
