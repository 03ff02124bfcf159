// What protects an account in this browser: its passphrase, and a device that may stand for it.
import { toHex, type Bytes } from '../crypto/bytes.ts';
import type { SecretKey } from '../crypto/keys.ts';
import type { Accounts } from '../storage/accounts.ts';
import { createPasskey } from '../storage/passkey.ts';
import type { AccountRow } from '../storage/schema.ts';
import {
  createVault,
  openVault,
  unwrapData,
  wipe,
  wrapData,
  type Secrets,
  type Vault,
} from '../storage/vault.ts';
import type { Tasks } from '../workers/tasks.ts';

export class Protection {
  readonly #work: Pick<Tasks, 'derive' | 'newDerivation'>;

  constructor(work: Pick<Tasks, 'derive' | 'newDerivation'>) {
    this.#work = work;
  }

  /** A vault that opens with this passphrase from now on. */
  async seal(passphrase: string, primary: string, secrets: Secrets): Promise<Vault> {
    const derivation = await this.#work.newDerivation();
    return createVault(passphrase, primary, secrets, derivation, this.#derive);
  }

  /** What the vault holds; whoever asks wipes it. `wrong_passphrase`. */
  open(passphrase: string, row: AccountRow): Promise<Secrets> {
    return openVault(passphrase, row.primary, row.vault, this.#derive);
  }

  /** The recovery phrase, or the seed as one word. */
  async reveal(passphrase: string, row: AccountRow): Promise<string[]> {
    const secrets = await this.open(passphrase, row);
    const shown = secrets.phrase?.split(' ') ?? [toHex(secrets.seed)];
    wipe(secrets);
    return shown;
  }

  async change(old: string, next: string, row: AccountRow, rows: Accounts): Promise<void> {
    const secrets = await this.open(old, row);
    try {
      await rows.change({ ...row, vault: await this.seal(next, row.primary, secrets) });
    } finally {
      wipe(secrets);
    }
  }

  /** Lets a device unlock from now on. */
  async addPasskey(passphrase: string, row: AccountRow, rows: Accounts): Promise<void> {
    const secrets = await this.open(passphrase, row);
    try {
      const passkey = await createPasskey(row.primary, `${row.handle}@${row.server}`, secrets);
      await rows.change({ ...row, passkey });
    } finally {
      wipe(secrets);
    }
  }

  /** The account with its data key under the seed, as every account is kept since there is such a box. */
  async withRecovery(row: AccountRow, secrets: Secrets): Promise<AccountRow> {
    return { ...row, recovery: row.recovery ?? (await wrapData(secrets, row.primary)) };
  }

  /** The data key of an account that is here already, for whoever holds its seed; undefined where that opens nothing. */
  async keptData(key: SecretKey, row: AccountRow): Promise<Bytes | undefined> {
    if (!row.recovery) return undefined;
    const seed = key.seed();
    try {
      return await unwrapData(seed, row.primary, row.recovery);
    } catch {
      return undefined;
    } finally {
      seed.fill(0);
    }
  }

  async removePasskey({ passkey: _, ...row }: AccountRow, rows: Accounts): Promise<void> {
    await rows.change(row);
  }

  readonly #derive: Tasks['derive'] = (...given) => this.#work.derive(...given);
}
