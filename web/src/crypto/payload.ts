// Reading and writing the members of a signed payload: each must be there and of the right kind, or it is malformed.
import { Fault } from './fault.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import { parseEd25519, parsePrimary, type Ed25519Primary, type Primary } from './primary.ts';
import { parseTime } from './timestamp.ts';

/** A payload of these members; those without a value are left out. */
export function payload(members: Record<string, Json | undefined>): JsonObject {
  const object = Object.create(null) as JsonObject;
  for (const [name, value] of Object.entries(members)) if (value !== undefined) object[name] = value;
  return object;
}

export function has(members: JsonObject, name: string): boolean {
  return Object.hasOwn(members, name);
}

export function value(members: JsonObject, name: string): Json {
  const found = has(members, name) ? members[name] : undefined;
  if (found === undefined) throw new Fault('malformed');
  return found;
}

export function text(members: JsonObject, name: string): string {
  const found = value(members, name);
  if (typeof found !== 'string') throw new Fault('malformed');
  return found;
}

export function optionalText(members: JsonObject, name: string): string | undefined {
  return has(members, name) ? text(members, name) : undefined;
}

export function integer(members: JsonObject, name: string): number {
  const found = value(members, name);
  if (typeof found !== 'number' || !Number.isSafeInteger(found)) throw new Fault('malformed');
  return found;
}

export function object(members: JsonObject, name: string): JsonObject {
  const found = value(members, name);
  if (!isObject(found)) throw new Fault('malformed');
  return found;
}

export function array(members: JsonObject, name: string): Json[] {
  const found = value(members, name);
  if (!Array.isArray(found)) throw new Fault('malformed');
  return found;
}

export function time(members: JsonObject, name: string): number {
  return parseTime(text(members, name));
}

/** A key that chat takes; `unsupported_key` for one of another system. */
export function key(members: JsonObject, name: string): Ed25519Primary {
  return parseEd25519(text(members, name));
}

export function primary(members: JsonObject, name: string): Primary {
  return parsePrimary(text(members, name));
}
