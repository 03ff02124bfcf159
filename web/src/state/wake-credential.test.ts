// The credential that a service worker is left with: good for waking, for a day, under a key that nobody can read.
import { describe, expect, test } from 'vitest';
import { SecretKey } from '../crypto/keys.ts';
import { fromNkey } from '../crypto/primary.ts';
import { checkSession } from '../crypto/session.ts';
import { isFresh, makeCredential } from './wake-credential.ts';

const NOW = 1_800_000_000_000;
const HOUR = 60 * 60 * 1000;

async function make() {
  const signer = SecretKey.fromSeed(new Uint8Array(32).fill(7));
  const terms = { url: 'wss://kez.lat/v1/nats', server: 'kez.lat', now: NOW };
  const credential = await makeCredential({ primary: signer.primary, signer }, terms);
  if (!credential) throw new Error('this platform has no Ed25519');
  return { credential, signer };
}

describe('a credential for waking', () => {
  test('is a session for that and nothing else, a day long, for one server', async () => {
    const { credential, signer } = await make();
    const session = await checkSession(credential.envelope, 'kez.lat', credential.nkey, NOW / 1000);
    expect(session).toMatchObject({ primary: signer.primary, purpose: 'wake', device: undefined });
    expect((session.expiresAt - session.createdAt) * 1000).toBe(24 * HOUR);
    expect(credential.expiresAt).toBe(session.expiresAt * 1000);
    await expect(
      checkSession(credential.envelope, 'elsewhere.example', credential.nkey, NOW / 1000),
    ).rejects.toThrow('wrong_server');
  });

  test('answers with the key that it names, which nobody can read', async () => {
    const { credential } = await make();
    expect(credential.key.extractable).toBe(false);
    await expect(crypto.subtle.exportKey('pkcs8', credential.key)).rejects.toThrow();
    expect(credential.key.usages).toEqual(['sign']);
    const session = fromNkey(credential.nkey);
    const signature = await crypto.subtle.sign('Ed25519', credential.key, Uint8Array.of(1));
    const named = await crypto.subtle.importKey(
      'raw',
      Buffer.from(session.slice(8), 'hex'),
      'Ed25519',
      true,
      ['verify'],
    );
    expect(await crypto.subtle.verify('Ed25519', named, signature, Uint8Array.of(1))).toBe(true);
  });

  test('is renewed after an hour, and when there is none', async () => {
    const { credential } = await make();
    expect(isFresh(undefined, NOW)).toBe(false);
    expect(isFresh(credential, NOW + HOUR - 1)).toBe(true);
    expect(isFresh(credential, NOW + HOUR)).toBe(false);
  });
});
