// Which notifications a page closes when something was read, here or elsewhere.
import { afterEach, expect, test, vi } from 'vitest';
import type { NoticeData } from '../worker-push/notice.ts';
import { closeNotices } from './push-notices.ts';

const [ME, OTHER, BOB, CAROL] = ['me', 'other', 'bob', 'carol'];

afterEach(() => vi.unstubAllGlobals());

/** What is left on the screen of these. */
async function left(
  shown: readonly Pick<NoticeData, 'account' | 'peers'>[],
  ...closing: Parameters<typeof closeNotices>
): Promise<number[]> {
  const standing = new Set(shown.keys());
  const notifications = shown.map((data, at) => ({ data, close: () => standing.delete(at) }));
  const registration = { getNotifications: async () => notifications };
  vi.stubGlobal('navigator', { serviceWorker: { getRegistration: async () => registration } });
  await closeNotices(...closing);
  return [...standing];
}

const ofBob = { account: ME, peers: [BOB] };
const ofBoth = { account: ME, peers: [BOB, CAROL] };
const plain = { account: ME, peers: [] };
const whose = { account: null, peers: [] };
const others = { account: OTHER, peers: [BOB] };
const all = [ofBob, ofBoth, plain, whose, others];

test.each([
  ['nothing is unread', [], true, [4]],
  ['somebody has still something unread', [CAROL], true, [1, 4]],
  ['nobody looks, and nothing is unread', [], false, [4]],
  ['nobody looks, and somebody has still something unread', [CAROL], false, [1, 2, 3, 4]],
])('when %s', async (_, unread, isLookedAt, standing) => {
  expect(await left(all, ME, new Set(unread), isLookedAt)).toEqual(standing);
});

test('all of them, and of nobody else', async () => {
  expect(await left(all, ME)).toEqual([4]);
});
