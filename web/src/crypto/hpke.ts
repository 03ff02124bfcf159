// HPKE (RFC 9180) as Kez uses it: base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { utf8, type Bytes } from './bytes.ts';
import { Fault } from './fault.ts';
import { x25519Public, type Opener } from './keys.ts';
import type { Ed25519Primary } from './primary.ts';

const INFO = utf8('kez-chat-msg-v2');

const kem = new DhkemX25519HkdfSha256();
const suite = new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Aes256Gcm() });

/** Seals to an identity, which is authenticated with the plaintext. The ephemeral key grows from 32 fresh random bytes. */
export async function hpkeSeal(plaintext: Bytes, to: Ed25519Primary, random: Bytes) {
  const recipientPublicKey = await kem.deserializePublicKey(x25519Public(to));
  try {
    const sender = { recipientPublicKey, info: INFO, ekm: random };
    const { enc, ct } = await suite.seal(sender, plaintext, utf8(to));
    return { enc: new Uint8Array(enc), ct: new Uint8Array(ct) };
  } catch {
    throw new Fault('malformed');
  }
}

/** Opens what was sealed to me; `cannot_open` for everything else. */
export async function hpkeOpen(enc: Bytes, ct: Bytes, me: Opener): Promise<Bytes> {
  const recipientKey = await me.openingPair();
  try {
    const recipient = { recipientKey, enc, info: INFO };
    return new Uint8Array(await suite.open(recipient, ct, utf8(me.primary)));
  } catch {
    throw new Fault('cannot_open');
  }
}
