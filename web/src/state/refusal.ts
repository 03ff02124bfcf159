// What a person can be told when something does not work: a code that texts.ts has words for.
export { Refusal } from '../nats/refusal.ts';

/** The code of whatever was thrown: the server's, the protocol's, storage's or the client's own; else `internal`. */
export function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'internal';
}
