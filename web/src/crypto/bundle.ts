// Bundles: a whole sigchain in one text, as lines of JSON or packed (protocol section 6). A bundle proves nothing by itself:
// its events are for `Chain.appendDownloaded`, one by one.
import { fromUtf8, utf8, utf8Length } from './bytes.ts';
import { MAX_EVENTS } from './chain.ts';
import { fromCompressedText, toCompressedText } from './compression.ts';
import { MAX_EVENT_BYTES } from './event.ts';
import { Fault } from './fault.ts';
import { trimAscii } from './white-space.ts';

/** What a packed bundle begins with. */
export const PACKED = 'kez:zc1:';

/** The longest JSONL that is packed, in bytes: far below 10,000 events of 16 KiB, so that few bytes never become gigabytes. */
export const MAX_PACKED_BYTES = 32 * 1024 * 1024;

/** Events as JSONL: each envelope on a line of its own. In JSON, line ends are white space and never part of a text. */
export function toLines(events: Iterable<string>): string {
  return Array.from(events, (event) => `${event.replace(/[\r\n]/g, ' ')}\n`).join('');
}

/** The events in JSONL, as they stand there. The last line may do without its end. */
export function fromLines(lines: string): string[] {
  const events = lines.replace(/\n$/, '').split('\n');
  if (events.length === 1 && events[0] === '') return [];
  for (const [number, event] of events.entries()) {
    if (number >= MAX_EVENTS || utf8Length(event) > MAX_EVENT_BYTES) throw new Fault('too_large');
    if (trimAscii(event) === '') throw new Fault('malformed');
  }
  return events;
}

/** JSONL as one text: `kez:zc1:` + base64url(zstd(JSONL)). */
export function pack(lines: string): string {
  const bytes = utf8(lines);
  if (bytes.length > MAX_PACKED_BYTES) throw new Fault('too_large');
  return toCompressedText(PACKED, bytes);
}

/** The events in a bundle of either form, as they stand there. */
export function readBundle(bundle: string): string[] {
  const trimmed = trimAscii(bundle);
  if (!trimmed.startsWith(PACKED)) return fromLines(bundle);
  return fromLines(fromUtf8(fromCompressedText(PACKED, trimmed, MAX_PACKED_BYTES)));
}
