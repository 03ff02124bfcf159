// The forms in which a claim is published: JSON, a compact text, a Markdown fence, TXT pieces (protocol sections 6, 7). Two
// texts may hold the same claim: never compare texts, compare what `decodeClaim` finds in them.
import { fromUtf8, utf8, utf8Length } from './bytes.ts';
import { fromCompressedText, toCompressedText } from './compression.ts';
import { Fault } from './fault.ts';
import { wholeFence } from './fence.ts';
import { isObject, parse } from './json.ts';
import { trim } from './white-space.ts';

/** What a compact text begins with. */
export const COMPACT = 'kez:z1:';

/** The longest claim, as the text of its envelope, in bytes. */
export const MAX_ENVELOPE_BYTES = 16 * 1024;

/** The longest text around one claim, in bytes. */
export const MAX_TEXT_BYTES = 2 * MAX_ENVELOPE_BYTES;

/** The longest piece of a TXT record, in bytes (RFC 1035, 3.3). */
const MAX_PIECE_BYTES = 255;

/** The compact text of an envelope. */
export function compactClaim(envelope: string): string {
  return toCompressedText(COMPACT, utf8(envelope));
}

/** An envelope as a Markdown fence whose info string is `kez`. */
export function markdownClaim(envelope: string): string {
  return `\`\`\`kez\n${envelope}\n\`\`\`\n`;
}

/** A text in pieces of at most 255 bytes, as the strings of one TXT record, which are read as if they stood together. */
export function txtPieces(text: string): string[] {
  const pieces = [''];
  for (const character of text) {
    const piece = pieces.at(-1) ?? '';
    if (utf8Length(piece) + utf8Length(character) > MAX_PIECE_BYTES) pieces.push(character);
    else pieces[pieces.length - 1] = piece + character;
  }
  return pieces;
}

/** The envelope's text in any one of its forms, with white space around it or none: `too_large` or `malformed` otherwise. */
export function decodeClaim(text: string): string {
  if (utf8Length(text) > MAX_TEXT_BYTES) throw new Fault('too_large');
  const trimmed = trim(text);
  return decodeUnfenced(wholeFence(trimmed) ?? trimmed);
}

/** The envelope's text in a JSON or compact text. */
export function decodeUnfenced(text: string): string {
  const trimmed = trim(text);
  const isCompact = trimmed.startsWith(COMPACT);
  const envelope = isCompact ? fromUtf8(fromCompressedText(COMPACT, trimmed, MAX_ENVELOPE_BYTES)) : trimmed;
  if (utf8Length(envelope) > MAX_ENVELOPE_BYTES) throw new Fault('too_large');
  if (!isObject(parse(envelope))) throw new Fault('malformed');
  return envelope;
}
