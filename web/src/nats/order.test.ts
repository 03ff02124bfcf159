// Mail in order and once, whatever the feed does.
import { describe, expect, test } from 'vitest';
import { Order } from './order.ts';

const items = (...seqs: number[]) => seqs.map((seq) => ({ seq, item: seq }));
const taken = (order: Order<number>) => order.take().map(({ seq }) => seq);

/** A reader that has made its first fetch of an empty mailbox. */
function caughtUp(): Order<number> {
  const order = new Order<number>(0);
  order.page([], false);
  expect(order.look()).toBeUndefined();
  return order;
}

describe('order', () => {
  test('live messages pass without a fetch', () => {
    const order = caughtUp();
    order.live(4, 0, 4);
    order.live(9, 4, 9);
    expect([taken(order), order.look()]).toEqual([[4, 9], undefined]);
  });

  test('a gap is fetched, and the fetch brings what came live only once', () => {
    const order = caughtUp();
    order.live(4, 0, 4);
    order.live(9, 7, 9);
    expect([taken(order), order.look()]).toEqual([[4], { since: 4, again: 0 }]);
    order.page(items(7, 9), false);
    expect([taken(order), order.look()]).toEqual([[7, 9], undefined]);
    order.live(9, 7, 9);
    expect(taken(order)).toEqual([]);
  });

  test('pages follow each other until the last', () => {
    const order = new Order<number>(2);
    expect(order.look()).toEqual({ since: 2, again: 0 });
    order.page(items(3, 5), true);
    expect(order.look()).toEqual({ since: 5, again: 0 });
    order.page(items(6), false);
    expect([taken(order), order.look()]).toEqual([[3, 5, 6], undefined]);
  });

  test('what was removed from the mailbox is not waited for for ever', () => {
    const order = caughtUp();
    order.live(9, 7, 9);
    for (let again = 0; again < 5; again++) {
      expect(order.look()).toEqual({ since: 0, again });
      order.page([], false);
    }
    expect([taken(order), order.look()]).toEqual([[9], undefined]);
  });

  test('a page that promises more and holds nothing ends the fetch', () => {
    const order = new Order<number>(0);
    order.page([], true);
    expect(order.look()).toBeUndefined();
  });

  test('whatever the feed does, mail comes in order and once', () => {
    for (let seed = 1; seed <= 400; seed++) wander(seed);
  });
});

/** One random life of a reader: stores, live messages of any order, disturbances, fetches from replicas that lag. */
function wander(seed: number): void {
  const below = generator(seed);
  const order = new Order<number>(0);
  const stored: number[] = [];
  const handed: number[] = [];
  const fetch = (lag: number, size: number) => {
    const look = order.look();
    if (!look) return;
    const seen = stored.slice(0, stored.length - (look.again + 1 < 5 ? Math.min(lag, stored.length) : 0));
    const after = seen.filter((seq) => seq > look.since);
    order.page(items(...after.slice(0, size)), after.length > size);
  };
  for (let step = 0; step < 120; step++) {
    const kind = below(12);
    if (kind < 3) stored.push((stored.at(-1) ?? 0) + 1 + below(3));
    else if (kind < 7 && stored.length > 0) {
      const at = below(stored.length);
      order.live(stored[at] ?? 0, stored[at - 1] ?? 0, stored[at] ?? 0);
    } else if (kind === 7) order.disturb();
    else fetch(below(3), 1 + below(3));
    handed.push(...taken(order));
    expect(stored.slice(0, handed.length), `seed ${seed}`).toEqual(handed);
  }
  order.disturb();
  while (order.look()) fetch(0, 2);
  handed.push(...taken(order));
  expect(handed, `seed ${seed}`).toEqual(stored);
}

/** Small numbers that look random and are the same in every run. */
function generator(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
