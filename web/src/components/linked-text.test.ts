// Links are found, and only those that may be opened.
import { expect, test } from 'vitest';
import { linked } from './linked-text.ts';

test('a link among words', () => {
  expect(linked('see https://kez.lat/a, or kez.lat')).toEqual([
    { text: 'see ' },
    { text: 'https://kez.lat/a', href: 'https://kez.lat/a' },
    { text: ', or ' },
    { text: 'kez.lat', href: 'https://kez.lat/' },
  ]);
});

test.each([
  'javascript:alert(1)',
  'data:text/html,<b>',
  'ftp://example.org/x',
  '//example.org',
  'file:///etc/passwd',
])('%s opens nothing of that kind', (text) => {
  for (const piece of linked(text)) expect(piece.href ?? 'https:').toMatch(/^(https?|mailto):/);
  expect(
    linked(text)
      .map((piece) => piece.text)
      .join(''),
  ).toBe(text);
});

test('a name without a scheme does not lose what stands before it', () => {
  const text = '<script>x</script> mail me@example.org http://a.example?q=<x>';
  expect(
    linked(text)
      .map((piece) => piece.text)
      .join(''),
  ).toBe(text);
});
