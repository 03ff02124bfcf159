// A refusal with a stable code: the server's own codes, the protocol's faults, and a few of the client's.

/** Codes that only this client gives. */
export type ClientCode =
  | 'wrong_passphrase'
  | 'needs_passphrase'
  | 'cancelled'
  | 'biometric_failed'
  | 'no_biometric'
  | 'storage_full'
  | 'storage_unavailable'
  | 'not_a_picture'
  | 'picture_too_large'
  | 'rolled_back'
  | 'forked'
  | 'long_chain'
  | 'locked'
  | 'push_denied'
  | 'push_failed';

export class Refusal extends Error {
  override readonly name = 'Refusal';
  /** One of the server's codes (`handle_taken`, `unavailable` …), the protocol's, or a `ClientCode`. */
  readonly code: string;
  /** Seconds after which the same call may succeed. */
  readonly retryAfter: number | undefined;
  /** Where the sigchain now ends that an event did not fit onto. */
  readonly current: { seq: number; head: string } | undefined;

  constructor(
    code: string,
    detail = '',
    more: { retryAfter?: number | undefined; current?: { seq: number; head: string } | undefined } = {},
  ) {
    super(detail || code);
    this.code = code;
    this.retryAfter = more.retryAfter;
    this.current = more.current;
  }
}
