// What ends ends whole, whatever fails meanwhile.
import { expect, test } from 'vitest';
import { endAll } from './ending.ts';

test('a step that fails, at once or later, keeps none of the others from being done', async () => {
  const done: string[] = [];
  const ending = endAll([
    () => void done.push('first'),
    () => {
      throw new Error('at once');
    },
    async () => {
      await new Promise(setImmediate);
      done.push('second');
      throw new Error('later');
    },
    () => void done.push('third'),
  ]);
  expect(done).toEqual(['first', 'third']);
  await ending;
  expect(done).toEqual(['first', 'third', 'second']);
});
