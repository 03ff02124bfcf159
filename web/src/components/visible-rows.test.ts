// A long list builds few rows, and the right ones.
import { expect, test } from 'vitest';
import { ALL_BUILT, Heights, RowKeys, VisibleRows } from './visible-rows.ts';

const keys = (count: number) => new RowKeys(Array.from({ length: count }, (_, index) => `${index}`));

test('a short list is built whole', () => {
  expect(new VisibleRows(keys(ALL_BUILT), new Heights(), 50).range(0, 100)).toEqual({
    from: 0,
    to: ALL_BUILT,
  });
});

test('of a long one, what is in view and around it', () => {
  const heights = new Heights();
  expect(heights.learn('0', 1000)).toBe(true);
  expect(heights.learn('0', 1000)).toBe(false);
  const list = new VisibleRows(keys(10_000), heights, 50);
  expect(list.height).toBe(1000 + 9999 * 50);
  expect(list.at(999)).toBe(0);
  expect(list.at(1000)).toBe(1);
  const { from, to } = list.range(250_000, 600);
  expect(list.start(from)).toBeLessThanOrEqual(250_000 - 850);
  expect(list.start(to)).toBeGreaterThanOrEqual(250_600 + 850);
  expect(to - from).toBeLessThan(60);
  expect(list.range(list.height, 600).to).toBe(10_000);
  expect(list.indexOf('9999')).toBe(9999);
});

test('an empty list has nothing to build', () => {
  const list = new VisibleRows(keys(0), new Heights(), 50);
  expect(list.range(0, 100)).toEqual({ from: 0, to: 0 });
  expect(list.height).toBe(0);
});

test('rows that are the same are not placed anew', () => {
  const before = RowKeys.of(['a', 'b'], undefined);
  expect(RowKeys.of(['a', 'b'], before)).toBe(before);
  for (const keys of [['a'], ['a', 'c'], ['a', 'b', 'c']]) expect(RowKeys.of(keys, before).all).toEqual(keys);
});
