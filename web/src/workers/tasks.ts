// What takes long: keys from passphrases, many messages at once, long chains. It runs in the worker, and in tests right here.
import { argon2id } from 'hash-wasm';
import { utf8, type Bytes } from '../crypto/bytes.ts';
import { Chain, type ChainState } from '../crypto/chain.ts';
import { parseEvent } from '../crypto/event.ts';
import { faultCode, type FaultCode } from '../crypto/fault.ts';
import type { Json } from '../crypto/json.ts';
import { OpeningKey, type Opener } from '../crypto/keys.ts';
import type { Message } from '../crypto/message.ts';
import { open, sealedFromValue } from '../crypto/sealed.ts';
import type { Derivation } from '../storage/vault.ts';

/** A sealed message, opened, or why it was not. */
export type Opened = { message: Message } | { code: FaultCode };

/** A chain and what new events have made of it: as far as they hold, and the rule that the first other one breaks. */
export interface Extended {
  state: ChainState;
  /** The hash of each new event. */
  heads: string[];
  /** What new events have added, and when. */
  since: [subject: string, createdAt: number][];
  fault: { code: FaultCode; seq: number } | null;
}

export interface Tasks {
  /** How a new passphrase is protected on this device. */
  newDerivation(): Promise<Derivation>;
  /** 32 bytes from a passphrase. */
  derive(passphrase: string, derivation: Derivation): Promise<Bytes>;
  /** Opens messages, in their order; one that does not open keeps none of the others. */
  open(envelopes: readonly Json[], opener: Opener, now: number): Promise<Opened[]>;
  /** Verifies events, each the text of an envelope, and follows them from where the chain stands. */
  extend(chain: ChainState, events: readonly string[]): Promise<Extended>;
}

/** 64 MiB and three passes: a fifth of a second here, and all of that memory for each guess of an attacker's. */
const ARGON2ID = { memory: 64 * 1024, passes: 3, lanes: 1 };
const PBKDF2 = { passes: 600_000 };

/** So many events are verified at once, which keeps the browser's own threads busy and memory small. */
const AT_ONCE = 64;

export const tasks: Tasks = {
  async newDerivation() {
    const salt = crypto.getRandomValues(new Uint8Array(16));
    const argon2 = { name: 'argon2id', ...ARGON2ID, salt } as const;
    try {
      await tasks.derive('whatever', { ...argon2, passes: 1 });
      return argon2;
    } catch {
      // No WebAssembly, or not that much memory.
      return { name: 'pbkdf2-sha256', ...PBKDF2, salt };
    }
  },

  async derive(passphrase, derivation) {
    const password = utf8(passphrase);
    try {
      return derivation.name === 'argon2id'
        ? await fromArgon2id(password, derivation)
        : await fromPbkdf2(password, derivation);
    } finally {
      password.fill(0);
    }
  },

  async open(envelopes, opener, now) {
    const key = new OpeningKey(opener.primary, await opener.portablePair());
    const opened: Opened[] = [];
    for (let start = 0; start < envelopes.length; start += AT_ONCE) {
      const some = envelopes.slice(start, start + AT_ONCE);
      opened.push(...(await Promise.all(some.map((envelope) => openOne(envelope, key, now)))));
    }
    return opened;
  },

  async extend(from, events) {
    const chain = Chain.from(from);
    const [heads, since]: [string[], Extended['since']] = [[], []];
    for (let start = 0; start < events.length; start += AT_ONCE) {
      const parsed = await Promise.allSettled(events.slice(start, start + AT_ONCE).map(parseEvent));
      for (const result of parsed) {
        try {
          if (result.status === 'rejected') throw result.reason;
          const { op, createdAt, hash } = result.value;
          chain.placeDownloaded(result.value);
          heads.push(hash);
          if ('op' in op && op.op === 'add') since.push([op.subject, createdAt]);
          if ('op' in op && op.op === 'add_device') since.push([op.device, createdAt]);
        } catch (error) {
          const fault = { code: faultCode(error), seq: chain.length };
          return { state: chain.state(), heads, since, fault };
        }
      }
    }
    return { state: chain.state(), heads, since, fault: null };
  },
};

async function fromArgon2id(
  password: Bytes,
  { memory, passes, lanes, salt }: Derivation & { name: 'argon2id' },
): Promise<Bytes> {
  const cost = { memorySize: memory, iterations: passes, parallelism: lanes };
  return new Uint8Array(await argon2id({ password, salt, ...cost, hashLength: 32, outputType: 'binary' }));
}

async function fromPbkdf2(
  password: Bytes,
  { passes, salt }: Derivation & { name: 'pbkdf2-sha256' },
): Promise<Bytes> {
  const material = await crypto.subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits']);
  const parameters = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: passes };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, material, 256));
}

async function openOne(envelope: Json, key: OpeningKey, now: number): Promise<Opened> {
  try {
    return { message: await open(sealedFromValue(envelope), key, now) };
  } catch (error) {
    return { code: faultCode(error) };
  }
}
