// Texts that have broken programs: markup, directions, piled-up marks, endless words, lone characters.
export const naughty: readonly string[] = [
  '<script>window.stolen = 1</script>',
  '<img src=x onerror="window.stolen = 1">',
  '"><svg/onload=window.stolen=1>',
  '{@html window.stolen = 1}',
  'javascript:window.stolen=1',
  'data:text/html,<script>window.stolen=1</script>',
  'https://example.org/?a=<b>&c="d"',
  'null',
  'undefined',
  '-1e999',
  '\u202Eexe.gnp\u202C',
  '\u2066\u2067mixed\u2069 \u200Fdirections',
  'مرحبا بالعالم 123 hello',
  `Z${'\u0334\u0335\u0336\u0337\u0338\u0300\u0301\u0302'.repeat(12)}algo`,
  'ﷺ ﷽',
  '田中さんにあげて下さい',
  '👩‍👩‍👧‍👦👨🏿‍💻🏴‍☠️',
  '\u200B\u200C\u200D\u2060x',
  'W'.repeat(10_000),
  'line\n'.repeat(40).trim(),
  '%s%n$(id)`id`',
  "'; DROP TABLE messages; --",
  '../../../../etc/passwd',
  'a\u0000b'.replace('\u0000', '\uFFFD'),
];

/** The same for names, which are shorter: those of the texts that fit, and names of which nothing is to be seen. */
export const naughtyNames: readonly string[] = [
  ...naughty.filter((text) => Array.from(text).length <= 64),
  'W'.repeat(64),
  '\u200B\u2060',
  '\u3164',
  '\u0301',
  'two\nlines\tand\u2028more',
  '(99) Chats · Kez',
];
