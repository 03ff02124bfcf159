// What notifications say, of friends and of those who choose their words to harm.
import { describe, expect, test } from 'vitest';
import { tell, tellPlainly } from './notice.ts';
import { readToPage } from './talk.ts';

const ME = `ed25519:${'a'.repeat(64)}`;
const writer = (name: string | undefined, count = 1) => ({
  peer: `ed25519:${(name ?? 'nobody').padEnd(64, '0')}`,
  name,
  count,
});

describe('a notification', () => {
  test('of one message has its words, and leads to the chat', () => {
    const notice = tell(ME, { writers: [writer('bob')], text: 'shall we\nmeet?' });
    expect(notice).toMatchObject({ tag: `kez:${ME}`, title: 'bob', body: 'shall we meet?' });
    expect(notice.data.path).toBe(`/chats/${encodeURIComponent(writer('bob').peer)}`);
  });

  test.each([
    [[writer('alice', 3)], '3 new messages from alice'],
    [[writer('alice', 2), writer('bob')], '3 new messages from alice and bob'],
    [[writer('alice'), writer('bob'), writer('carol')], '3 new messages from alice, bob and carol'],
    [[writer('a'), writer('b'), writer('c'), writer('d', 2)], '5 new messages from a, b and 2 others'],
    [[writer(undefined, 2)], '2 new messages from somebody'],
  ])('of several says how many and from whom', (writers, body) => {
    expect(tell(ME, { writers, text: null })).toMatchObject({ title: 'Kez', body });
  });

  test('that knows nothing says nothing', () => {
    expect(tellPlainly(null)).toMatchObject({ tag: 'kez', title: 'Kez', body: 'New message' });
    expect(tellPlainly(ME, 'alice@kez.lat').body).toBe('New message for alice@kez.lat');
    expect(tell(ME, { writers: [writer('bob')], text: null }).body).toMatch(/newer version/);
    expect(tell(ME, { writers: [writer('bob')], text: ' \n\u200b ' }).body).toBe('New message');
  });

  test('keeps hostile names and words to their place', () => {
    const notice = tell(ME, {
      writers: [writer(`\u202Ekez\u202C\n${'x'.repeat(500)}`)],
      text: `\u202E${'y'.repeat(10_000)}\u0000`,
    });
    expect(notice.title).toMatch(/^kez x+…$/);
    expect(Array.from(notice.title).length).toBeLessThanOrEqual(64);
    expect(Array.from(notice.body).length).toBeLessThanOrEqual(240);
    expect(`${notice.title}${notice.body}`).not.toMatch(/[\u202A-\u202E\p{Cc}]/u);
  });
});

test('a page hears only what a service worker says', () => {
  expect(readToPage({ kind: 'open', account: ME, path: '/chats' })).toEqual({
    kind: 'open',
    account: ME,
    path: '/chats',
  });
  expect(readToPage({ kind: 'subscription changed', more: 1 })).toEqual({ kind: 'subscription changed' });
  expect(readToPage({ kind: 'whose' })).toEqual({ kind: 'whose' });
  for (const other of [null, 'open', {}, { kind: 'open' }, { kind: 'open', account: 1, path: '/' }])
    expect(readToPage(other)).toBeUndefined();
});
