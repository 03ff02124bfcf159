// Sigchains as this reader holds them: fetched, verified, and compared with what was seen of them before.
import { notYet } from './not-yet.ts';

export interface Device {
  /** `ed25519:<64 hex>`. */
  device: string;
  name: string;
  addedAt: string;
  /** Whether it is this browser. */
  isThis: boolean;
}

/** What a chain has come to. */
export interface ChainState {
  primary: string;
  length: number;
  /** `sha256:<hex>`; null for an empty chain. */
  head: string | null;
  /** Identifiers that it claims now, with the time of the event. */
  claims: readonly { subject: string; since: string }[];
  devices: readonly Device[];
  successor: string | null;
  /** `rolled_back`: events seen before are gone. `forked`: there are two histories. Otherwise the rule that event `seq` breaks. */
  fault: { code: string; seq: number } | null;
}

export class Chains {
  /** Somebody's chain, fetched and verified now. A chain that is not to be trusted comes with its `fault`. */
  read(primary: string): Promise<ChainState> {
    return notYet(primary);
  }

  /** Takes a device off my chain. `needs_passphrase`. */
  revokeDevice(device: string): Promise<void> {
    return notYet(device);
  }
}
