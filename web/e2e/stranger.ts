// Somebody who speaks the protocol by hand, to do what no client of ours would: forge, replay, invent.
import { sha256 } from '@noble/hashes/sha2.js';
import { toHex, utf8 } from '../src/crypto/bytes.ts';
import { SecretKey } from '../src/crypto/keys.ts';
import type { Body } from '../src/crypto/message.ts';
import { hexOf, parseEd25519 } from '../src/crypto/primary.ts';
import { createProfile } from '../src/crypto/profile.ts';
import { createRegistration } from '../src/crypto/registration.ts';
import { profileRequest, signRequest } from '../src/crypto/request-auth.ts';
import { seal, sealedText } from '../src/crypto/sealed.ts';
import { paths } from '../src/nats/contract.ts';
import { Http } from '../src/nats/http.ts';

export class Stranger {
  readonly key = SecretKey.fromSeed(crypto.getRandomValues(new Uint8Array(32)));
  readonly #origin: string;
  readonly #http: Http;

  constructor(origin: string) {
    this.#origin = origin;
    this.#http = new Http(origin);
  }

  async register(handle: string, server: string): Promise<this> {
    await this.#http.post('/v1/register', await createRegistration(handle, server, now(), this.key));
    return this;
  }

  /** Seals a body, signed by `signer` in the name of the stranger, or of `from`. */
  async seal(given: {
    to: string;
    id: string;
    body: Body;
    signer?: SecretKey;
    from?: string;
    sentAt?: number;
  }): Promise<string> {
    const { to, id, body, signer = this.key, from = this.key.primary, sentAt = now() } = given;
    const primary = parseEd25519(from);
    const device = signer.primary === primary ? undefined : signer.primary;
    const message = { id, primary, device, to: parseEd25519(to), sentAt, body };
    return sealedText(await seal(message, signer, crypto.getRandomValues(new Uint8Array(32))));
  }

  /** What the stranger says of themselves, without any of the rules of a client. */
  async putProfile(handle: string, displayName: string, about: string): Promise<void> {
    const profile = await createProfile({ displayName, about, updatedAt: now() }, this.key);
    const hash = toHex(sha256(utf8(profile)));
    const answer = await fetch(`${this.#origin}/v1/profile/${handle}`, {
      method: 'PUT',
      headers: {
        'content-type': 'application/json',
        'x-kez-auth': await signRequest(profileRequest(handle, hash), now(), this.key),
      },
      body: profile,
    });
    if (!answer.ok) throw new Error(await answer.text());
  }

  /** Puts an event onto the stranger's sigchain. */
  async append(event: string): Promise<void> {
    await this.#http.post(paths.sigchain('ed25519', hexOf(this.key.primary)), event);
  }

  async post(to: string, envelope: string): Promise<void> {
    await this.#http.post('/v1/messages', `{"to":${JSON.stringify(to)},"envelope":${envelope}}`);
  }
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}
