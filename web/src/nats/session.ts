// Signing in: a fresh key in memory answers the broker's nonce, and a session envelope, signed by the identity or a device of
// it for this server and at most a day, names that key. The identity never signs bytes that a server chose.
import { toBase64url, utf8 } from '../crypto/bytes.ts';
import { SecretKey, type Ed25519Signer } from '../crypto/keys.ts';
import { nkeyOf, type Ed25519Primary } from '../crypto/primary.ts';
import { createSession } from '../crypto/session.ts';

/** A session's longest life, in seconds; it is renewed when half of it is over. */
const A_DAY = 24 * 60 * 60;

/** As whom, and with which key. */
export interface Speaker {
  primary: Ed25519Primary;
  /** The identity's own key, or a device of it. */
  signer: Ed25519Signer;
}

/** What the broker is answered with. */
export interface Answer {
  nkey: string;
  sig: string;
  auth_token: string;
}

export class Session {
  readonly #speaker: Speaker;
  readonly #server: string;
  readonly #now: () => number;
  #issued: { key: SecretKey; envelope: string; renewAt: number } | undefined;

  /** `now` gives seconds. */
  constructor(speaker: Speaker, server: string, now: () => number) {
    this.#speaker = speaker;
    this.#server = server;
    this.#now = now;
  }

  /** Signs a new envelope when there is none, or half of the old one's life is over. Before each sign-in, for a device's key
   * cannot sign while the broker waits for an answer without a pause. */
  async renew(): Promise<void> {
    if (this.#issued && this.#now() < this.#issued.renewAt) return;
    const seed = crypto.getRandomValues(new Uint8Array(32));
    const key = SecretKey.fromSeed(seed);
    seed.fill(0);
    const createdAt = this.#now();
    const envelope = await createSession(
      {
        primary: this.#speaker.primary,
        session: key.primary,
        server: this.#server,
        createdAt,
        expiresAt: createdAt + A_DAY,
      },
      this.#speaker.signer,
    );
    this.forget();
    this.#issued = { key, envelope, renewAt: createdAt + A_DAY / 2 };
  }

  /** Answers the nonce. */
  answer(nonce: string | undefined): Answer {
    if (!this.#issued) throw new Error('there is no session yet');
    if (!isNonce(nonce)) throw new Error('the server sent no nonce to sign, but something else');
    const { key, envelope } = this.#issued;
    const sig = toBase64url(key.signNow(utf8(nonce)));
    return { nkey: nkeyOf(key.primary), sig, auth_token: envelope };
  }

  forget(): void {
    this.#issued?.key.forget();
    this.#issued = undefined;
  }
}

/** Whether these are a nonce as NATS servers make them, and not something that means anything elsewhere. */
export function isNonce(nonce: unknown): nonce is string {
  return typeof nonce === 'string' && /^[A-Za-z0-9_-]{11,24}$/.test(nonce);
}
