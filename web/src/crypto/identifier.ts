// Identifiers: `system:name`, the accounts and keys that people claim.
import { fromHex, utf8Length } from './bytes.ts';
import { Fault } from './fault.ts';

/** An identifier such as `github:tudisco`, as `parseIdentifier` has read it; unknown systems are kept. */
export type Identifier = `${string}:${string}`;

/** The longest identifier, in bytes. */
const MAX_LENGTH = 512;

/** White space (Unicode `White_Space`) and control characters, as Rust's `char` knows them. */
const BLANK = /[\p{White_Space}\p{Cc}]/u;

/** Reads `system:name`; the alias `mastodon:` becomes `ap:`. `malformed` for what is none, or does not fit its system. */
export function parseIdentifier(text: string): Identifier {
  const { system, name } = split(text);
  const isSystem = /^[a-z][a-z0-9]{0,31}$/.test(system);
  const isName = name !== '' && !BLANK.test(name);
  if (!isSystem || !isName || utf8Length(text) > MAX_LENGTH || !suits(system, name)) {
    throw new Fault('malformed');
  }
  return system === 'mastodon' ? `ap:${name}` : (text as Identifier);
}

/** The parts before and after the first colon. */
export function split(identifier: string): { system: string; name: string } {
  const colon = identifier.indexOf(':');
  if (colon < 0) throw new Fault('malformed');
  return { system: identifier.slice(0, colon), name: identifier.slice(colon + 1) };
}

/** Whether the name has the form that its system asks for, where this version knows it. */
function suits(system: string, name: string): boolean {
  switch (system) {
    case 'ed25519':
      return fromHex(name, 32) !== undefined;
    case 'nostr':
      return name.startsWith('npub1');
    case 'web':
      return name.startsWith('https://') && name !== 'https://';
    case 'ap':
    case 'mastodon':
      return name.indexOf('@') > 0 && name.indexOf('@') < name.length - 1;
    default:
      return true;
  }
}
