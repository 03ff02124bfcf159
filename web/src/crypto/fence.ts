// Markdown fences whose info string is `kez` (CommonMark 4.5).
import { trim } from './white-space.ts';

const INFO = 'kez';

/** An opened fence: how it is to be closed, and all that follows its first line. */
export interface Fence {
  mark: string;
  length: number;
  rest: string;
}

/** The inside of a text that is one fence with the info string `kez` and nothing else. */
export function wholeFence(text: string): string | undefined {
  const fence = openFence(text);
  const closed = fence && closeFence(fence);
  return closed?.after === '' ? closed.inside : undefined;
}

/** The fence with which the text begins, if its info string is `kez`. */
export function openFence(text: string): Fence | undefined {
  const end = text.indexOf('\n');
  const marks = marksOf(end < 0 ? text : text.slice(0, end));
  if (!marks || marks.length < 3 || trim(marks.info) !== INFO) return undefined;
  return { mark: marks.mark, length: marks.length, rest: end < 0 ? '' : text.slice(end + 1) };
}

/** What stands in the fence, and what after the line that closes it; none if no line does. */
export function closeFence({ mark, length, rest }: Fence): { inside: string; after: string } | undefined {
  for (const { start, line } of lines(rest)) {
    const marks = marksOf(line);
    const closes = marks?.mark === mark && marks.length >= length && trim(marks.info) === '';
    if (closes) return { inside: rest.slice(0, start), after: rest.slice(start + line.length) };
  }
  return undefined;
}

/** Where the first line stands that opens a fence. */
export function fenceStart(text: string): number | undefined {
  for (const { start, line } of lines(text)) if (openFence(line)) return start;
  return undefined;
}

/** The lines of a text, each with its end. */
function* lines(text: string): Generator<{ start: number; line: string }> {
  for (let start = 0; start < text.length;) {
    const end = text.indexOf('\n', start);
    const line = end < 0 ? text.slice(start) : text.slice(start, end + 1);
    yield { start, line };
    start += line.length;
  }
}

/** The mark that a line repeats after at most three spaces, how often, and the text after it. */
function marksOf(line: string): { mark: string; length: number; info: string } | undefined {
  const [, marks = '', info = ''] = /^ {0,3}(`+|~+)([^]*)$/.exec(line) ?? [];
  return marks === '' ? undefined : { mark: marks.charAt(0), length: marks.length, info };
}
