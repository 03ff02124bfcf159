// Hostile names become quiet ones, and emoji are told from text.
import { expect, test } from 'vitest';
import { emojiOnly, grouped, preview, shortKey, shownName } from './shown-text.ts';

test('a name keeps its letters and loses what breaks a line', () => {
  expect(shownName('  Zoë\n\tM\u202Eüller \u{1F469}\u200D\u{1F4BB} ')).toBe(
    'Zoë M üller \u{1F469}\u200D\u{1F4BB}',
  );
  expect(shownName(`Z${'\u0334'.repeat(50)}algo`)).toBe('Z\u0334\u0334algo');
  expect([...shownName('x'.repeat(10_000))]).toHaveLength(64);
  expect(shownName('\uD800broken')).toBe('broken');
  expect(shownName('\u200B\u200C\u200D\u2060x')).toBe('x');
});

test('emoji alone are counted', () => {
  expect(emojiOnly('👍')).toBe(1);
  expect(emojiOnly('👩‍💻 🇩🇪 ❤️')).toBe(3);
  expect(emojiOnly('👍 ok')).toBe(0);
  expect(emojiOnly('1')).toBe(0);
  expect(emojiOnly('')).toBe(0);
  expect(emojiOnly('😀'.repeat(7))).toBe(0);
});

test('previews and keys are short', () => {
  expect(preview('two\n\nlines')).toBe('two lines');
  expect(preview('y'.repeat(10_000))).toHaveLength(300);
  expect(grouped('a1b2c3d4')).toBe('a1b2 c3d4');
  expect(shortKey(`ed25519:${'ab'.repeat(32)}`)).toBe('ababab…ababab');
});
