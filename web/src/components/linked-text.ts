// Splits what somebody wrote into plain text and links; addresses are shown as they stand and never fetched.
import { LinkifyIt } from 'linkify-it';

export interface Piece {
  readonly text: string;
  /** Where a click leads; absent for plain text. */
  readonly href?: string;
}

/** Endings that people write without a scheme, beside those of countries and the oldest ones that linkify-it knows. */
const endings = [
  'app',
  'blog',
  'chat',
  'cloud',
  'dev',
  'lat',
  'online',
  'page',
  'site',
  'social',
  'tech',
  'wiki',
];

const linkify = new LinkifyIt({ fuzzyLink: true, fuzzyEmail: true })
  .add('ftp:', null)
  .add('//', null)
  .tlds(endings, true);

/** Only these may be opened from a message: everything else stays text. */
const allowed = new Set(['http:', 'https:', 'mailto:']);

/** The pieces of a text, in order; joined they are the text. */
export function linked(text: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const match of linkify.match(text) ?? []) {
    const href = address(match.schema, match.url);
    if (!href) continue;
    if (match.index > at) pieces.push({ text: text.slice(at, match.index) });
    pieces.push({ text: match.raw, href });
    at = match.lastIndex;
  }
  if (at < text.length) pieces.push({ text: text.slice(at) });
  return pieces;
}

/** The address if it may be opened; one that was written without a scheme is opened as https. */
function address(schema: string, url: string): string | undefined {
  const parsed = URL.parse(schema === '' ? url.replace(/^http:/, 'https:') : url);
  return parsed && allowed.has(parsed.protocol) ? parsed.href : undefined;
}
