// What is stored is told in the unit in which it is a small number.
import { expect, test } from 'vitest';
import { size } from './sizes.ts';

test('megabytes until there is a gigabyte', () => {
  expect([1_900_000, 999_900_000, 1e9, 10_739_300_000].map(size)).toEqual([
    '1.9 MB',
    '999.9 MB',
    '1 GB',
    '10.7 GB',
  ]);
});
