// What storage refuses, by a stable code.

export type StorageCode =
  | 'wrong_passphrase'
  | 'storage_full'
  | 'storage_unavailable'
  | 'malformed'
  | 'unsupported_version'
  | 'wrong_primary'
  | 'cancelled'
  | 'no_biometric'
  | 'biometric_failed';

export class StorageFault extends Error {
  override readonly name = 'StorageFault';
  readonly code: StorageCode;

  constructor(code: StorageCode, options?: ErrorOptions) {
    super(code, options);
    this.code = code;
  }
}

/** What the browser's storage has thrown, as one of our codes where it says something to people; else as it was. */
export function storageFault(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StorageFault) return error;
  if (error.name === 'QuotaExceededError') return new StorageFault('storage_full', { cause: error });
  const isRefused = ['InvalidStateError', 'SecurityError', 'UnknownError'].includes(error.name);
  return isRefused ? new StorageFault('storage_unavailable', { cause: error }) : error;
}
