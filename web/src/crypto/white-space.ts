// White space at the ends of a text, as Rust's `trim` and `trim_ascii` see it. JavaScript's `trim` takes a byte-order mark away
// and leaves U+0085; and a regular expression would take a square of the time for a text full of spaces.

const WHITE = /\p{White_Space}/u;

/** Without the white space (Unicode `White_Space`) at both ends. */
export function trim(text: string): string {
  return within(text, (character) => WHITE.test(character));
}

/** Without the ASCII white space at both ends. */
export function trimAscii(text: string): string {
  return within(text, (character) => ' \t\n\f\r'.includes(character));
}

function within(text: string, isBlank: (character: string) => boolean): string {
  let [start, end] = [0, text.length];
  while (start < end && isBlank(text.charAt(start))) start++;
  while (start < end && isBlank(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}
