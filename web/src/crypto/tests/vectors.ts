// The vector files that Rust reads too, read where they lie; and those of others, which are beside the checkout or nowhere.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromHex, type Bytes } from '../bytes.ts';
import { faultCode, type FaultCode } from '../fault.ts';
import { SecretKey } from '../keys.ts';

const OURS = join(import.meta.dirname, '../../../../tests/vectors');
const OTHERS = join(import.meta.dirname, '../../../../../shared/vectors/third-party');

/** A vector file, by its name. */
export function vectors<File>(name: string): File {
  return JSON.parse(readFileSync(join(OURS, name), 'utf8')) as File;
}

/** A vector file as text, for cases whose very bytes count: `JSON.parse` would drop duplicate keys. */
export function vectorText(name: string): string {
  return readFileSync(join(OURS, name), 'utf8');
}

/** A file of others; none where their folder is absent. */
export function othersText(name: string): string | undefined {
  return hasOthers ? readFileSync(join(OTHERS, name), 'utf8') : undefined;
}

export function othersFolder(name: string): string[] {
  return hasOthers ? readdirSync(join(OTHERS, name)) : [];
}

export const hasOthers = existsSync(OTHERS);

/** What a suite over the data of others is called, so that its absence is read. */
export const othersNote = hasOthers
  ? ''
  : ' (skipped: the folder of third-party vectors is not beside this checkout)';

export function bytes(hex: string): Bytes {
  const read = fromHex(hex, hex.length / 2);
  if (!read) throw new Error(`the vector's hex: ${hex}`);
  return read;
}

export function key(seed: string | number): SecretKey {
  return SecretKey.fromSeed(typeof seed === 'number' ? new Uint8Array(32).fill(seed) : bytes(seed));
}

/** The code that something is refused with; none when it is not. */
export async function refusal(run: () => unknown): Promise<FaultCode | null> {
  try {
    await run();
    return null;
  } catch (error) {
    return faultCode(error);
  }
}
