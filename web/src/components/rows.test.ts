// Days, groups and the divider stand where people expect them.
import { expect, test } from 'vitest';
import { rows, type ShownMessage } from './rows.ts';

const noon = new Date(2026, 10, 20, 12).getTime();
const message = (id: string, isMine: boolean, minutes: number): ShownMessage => ({
  id,
  isMine,
  at: noon + minutes * 60_000,
  text: id,
  status: null,
});

test('messages of one person stand together for five minutes', () => {
  const shown = rows(
    [message('a', true, 0), message('b', true, 1), message('c', false, 2), message('d', false, 9)],
    null,
  );
  expect(shown.map((row) => row.kind)).toEqual(['day', 'message', 'message', 'message', 'message']);
  expect(shown.flatMap((row) => (row.kind === 'message' ? [[row.first, row.last]] : []))).toEqual([
    [true, false],
    [false, true],
    [true, true],
    [true, true],
  ]);
});

test('a new day and the divider end a group', () => {
  const shown = rows([message('a', false, 0), message('b', false, 1), message('c', false, 1440)], 'b');
  expect(shown.map((row) => row.kind)).toEqual(['day', 'message', 'unread', 'message', 'day', 'message']);
  expect(shown.flatMap((row) => (row.kind === 'message' ? [row.first && row.last] : []))).toEqual([
    true,
    true,
    true,
  ]);
});

test('a row in which nothing has changed is the same one', () => {
  const [a, b, c] = [message('a', true, 0), message('b', true, 1), message('c', true, 2)];
  const before = rows([a, b], null);
  const after = rows([a, b, c], null);
  // The day and the first message stand as they stood; the second is no longer the last of its group.
  expect(after.map((row, at) => row === before[at])).toEqual([true, true, false, false]);
});
