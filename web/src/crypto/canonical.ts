// JSON written one way only: JCS (RFC 8785).
import { utf8, type Bytes } from './bytes.ts';
import { Fault } from './fault.ts';
import type { Json } from './json.ts';

/**
 * A value as JCS: members sorted by UTF-16, shortest escapes, ECMAScript numbers, no spaces. `malformed` for what JCS cannot
 * write: lone surrogates and numbers that are not finite.
 */
export function canonicalText(value: Json): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Fault('malformed');
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  // JavaScript sorts by UTF-16, as JCS does.
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${quoted(name)}:${canonicalText(value[name] as Json)}`).join(',')}}`;
}

/** The same in UTF-8: the bytes that are signed and hashed. */
export function canonical(value: Json): Bytes {
  return utf8(canonicalText(value));
}

function quoted(text: string): string {
  if (!text.isWellFormed()) throw new Fault('malformed');
  return JSON.stringify(text);
}
