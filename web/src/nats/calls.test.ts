// Replies that hold documents, which are as deep as their authors liked.
import { expect, test } from 'vitest';
import { utf8 } from '../crypto/bytes.ts';
import { parse } from '../crypto/json.ts';
import { read } from './calls.ts';

function nested(levels: number): string {
  return '['.repeat(levels) + ']'.repeat(levels);
}

test('a reply may be deeper than the documents in it, each of which has all its levels', () => {
  const event = nested(64);
  const reply = `{"events":[${event}],"more":false}`;
  expect(read({ data: utf8(reply) })).toMatchObject({ more: false });
  expect(() => parse(`[${event}]`)).toThrow('malformed');
  expect(() => read({ data: utf8(nested(73)) })).toThrow('the reply cannot be read');
});
