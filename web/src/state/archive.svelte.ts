// Taking everything along: an encrypted archive of messages, written and read.
import { notYet } from './not-yet.ts';

/** What an archive brought. */
export interface Imported {
  messages: number;
  /** Messages that were here already. */
  known: number;
}

export class Archive {
  /** Messages done so far of an export or import on its way; null when none is. */
  progress = $state<{ done: number; of: number } | null>(null);

  /** All messages and drafts of the current account, sealed under a passphrase of its own. */
  export(passphrase: string): Promise<Blob> {
    return notYet(passphrase);
  }

  /** What the file would be called. */
  fileName(): string {
    return notYet();
  }

  /** Adds what is not here yet. `wrong_passphrase`, `malformed`, `wrong_primary` for somebody else's. */
  import(file: Blob, passphrase: string): Promise<Imported> {
    return notYet(file, passphrase);
  }
}
