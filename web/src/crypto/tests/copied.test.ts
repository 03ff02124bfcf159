// A text to myself may say of what it is a copy; what cannot be read there is no reason to lose the text.
import { expect, test } from 'vitest';
import { bodyValue, readBody } from '../message.ts';
import { SecretKey } from '../keys.ts';

const to = SecretKey.fromSeed(new Uint8Array(32).fill(3)).primary;
const id = 'ab'.repeat(16);

test('a copy names whom it was sent to, and under which id', () => {
  const body = { kind: 'text', text: 'hello', copyOf: { to, id } } as const;
  expect(bodyValue(body)).toEqual({ kind: 'text', text: 'hello', copy_of: { to, id } });
  expect(readBody(bodyValue(body))).toEqual(body);
});

test('a copy of nothing that can be read is a text', () => {
  const broken = [
    null,
    'everything',
    [],
    {},
    { to },
    { id },
    { to: 'nostr:npub1x', id },
    { to, id: id.toUpperCase() },
    { to: 7, id },
  ];
  for (const copy_of of broken)
    expect(readBody({ kind: 'text', text: 'hello', copy_of })).toEqual({ kind: 'text', text: 'hello' });
});
