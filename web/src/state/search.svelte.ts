// Search over what was decrypted, in a worker; its index is encrypted at rest.
import { notYet } from './not-yet.ts';

export interface Hit {
  peer: string;
  id: string;
  at: number;
  isMine: boolean;
  text: string;
}

export class Search {
  /** Whether the index can answer; while it is rebuilt, `progress` says how far it is. */
  isReady = $state(false);
  progress = $state<{ done: number; of: number } | null>(null);

  /** The best first; of one chat when `peer` is given. */
  find(query: string, peer?: string, limit = 50): Promise<Hit[]> {
    return notYet(query, peer, limit);
  }
}
