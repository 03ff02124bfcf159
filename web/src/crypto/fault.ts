// Why something was refused: one stable word, the same as in Rust and in every reply. The sentences for people are texts.

/** The reasons for which input is refused, named as in protocol sections 3 to 8. */
export type FaultCode =
  | 'malformed'
  | 'too_large'
  | 'wrong_envelope'
  | 'unsupported_version'
  | 'unsupported_key'
  | 'key_mismatch'
  | 'bad_signature'
  | 'invalid_handle'
  | 'reserved_handle'
  | 'wrong_server'
  | 'stale_timestamp'
  | 'cannot_open'
  | 'wrong_recipient'
  | 'stale'
  | 'expired'
  | 'wrong_session'
  | 'unknown_device'
  | 'invalid_auth'
  | 'wrong_subject'
  | 'wrong_primary'
  | 'chain_closed'
  | 'wrong_seq'
  | 'wrong_prev'
  | 'clock_backwards'
  | 'already_active'
  | 'not_active'
  | 'bad_proof'
  | 'unknown_op';

/** A refusal. Its message is the code: it never repeats what was refused, which may be secret. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: FaultCode;

  constructor(code: FaultCode) {
    super(code);
    this.code = code;
  }
}

/** The code of a refusal; what is no refusal is a mistake of ours and goes on. */
export function faultCode(error: unknown): FaultCode {
  if (error instanceof Fault) return error.code;
  throw error;
}
