// A feed that has ended, as in a tab that has given up its turn.
import type { NatsConnection } from '@nats-io/nats-core';
import { expect, test, vi } from 'vitest';
import { Feed } from './feed.ts';

/** As much of a client as a feed uses. */
function client() {
  const unsubscribe = vi.fn();
  const subscribe = vi.fn(() => ({ unsubscribe }));
  return { subscribe, unsubscribe, connection: { subscribe } as unknown as NatsConnection };
}

test('a feed that was stopped listens on no new client', async () => {
  const feed = new Feed({
    primary: 'ab'.repeat(32),
    since: 0,
    fetch: async () => ({ messages: [], more: false }),
    take: async () => undefined,
  });
  const [before, after] = [client(), client()];
  feed.attach(before.connection);
  const running = feed.run();
  feed.stop();
  await running;
  feed.attach(after.connection);
  expect(
    [before.subscribe, before.unsubscribe, after.subscribe].map(({ mock }) => mock.calls.length),
  ).toEqual([1, 1, 0]);
});
