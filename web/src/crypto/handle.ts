// Handles: the names that people register at a server.
import { Fault, type FaultCode } from './fault.ts';

/** Names that speak for the server or for mail, which nobody may register (protocol section 1, RFC 2142). */
export const RESERVED: ReadonlySet<string> = new Set(
  (
    'abuse admin administrator anonymous api help hostmaster kez mail mailer-daemon moderator no-reply nobody noreply null ' +
    'official postmaster root security staff support system undefined webmaster www'
  ).split(' '),
);

/** A handle with the server that knows it: `alice@kez.lat`. */
export interface FullHandle {
  handle: string;
  server: string;
}

/** Reads a handle: 3–32 characters of `a-z 0-9 _ -`, the first a letter or digit, not reserved. */
export function parseHandle(text: string): string {
  const fault = handleFault(text);
  if (fault) throw new Fault(fault);
  return text;
}

/** What is wrong with a handle, if anything, for forms that say so while people type. */
export function handleFault(text: string): FaultCode | undefined {
  if (!/^[a-z0-9][a-z0-9_-]{2,31}$/.test(text)) return 'invalid_handle';
  return RESERVED.has(text) ? 'reserved_handle' : undefined;
}

/** Splits `handle@server`; `invalid_handle` without a lower-case domain (with `:port` or without) after the `@`. */
export function parseFullHandle(text: string): FullHandle {
  const at = text.indexOf('@');
  const server = text.slice(at + 1);
  if (at < 0 || !isServer(server)) throw new Fault('invalid_handle');
  return { handle: parseHandle(text.slice(0, at)), server };
}

/** Whether this is a domain of dot-separated labels, at most 253 bytes, and perhaps a port. */
function isServer(server: string): boolean {
  const [, domain, port] = /^([^:]*)(?::([0-9]+))?$/.exec(server) ?? [];
  if (domain === undefined || domain.length > 253 || Number(port ?? 0) > 65_535) return false;
  return domain.split('.').every((label) => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(label));
}
