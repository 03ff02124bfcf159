// Unlocking with a fingerprint, a face or a security key: WebAuthn's PRF extension gives 32 secret bytes that only this
// credential can give, and they wrap the same secrets as the passphrase does.
import { fromHex, sameBytes, utf8, type Bytes } from '../crypto/bytes.ts';
import type { Box } from './box.ts';
import { StorageFault } from './fault.ts';
import { unwrap, wrap, type Secrets } from './vault.ts';

export interface Passkey {
  version: 1;
  credential: Bytes;
  transports: string[];
  /** What the credential is asked about. */
  salt: Bytes;
  seed: Box;
  phrase: Box | undefined;
  data: Box;
}

/** Whether this browser has a device's own authenticator; whether that one knows PRF shows when it is asked. */
export async function passkeysAreLikely(): Promise<boolean> {
  if (typeof PublicKeyCredential === 'undefined') return false;
  try {
    return await PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable();
  } catch {
    return false;
  }
}

/** Makes a credential for this account and wraps the secrets under what it gives. */
export async function createPasskey(primary: string, name: string, secrets: Secrets): Promise<Passkey> {
  const salt = crypto.getRandomValues(new Uint8Array(32));
  const created = await credential(() =>
    navigator.credentials.create({
      publicKey: {
        challenge: crypto.getRandomValues(new Uint8Array(32)),
        rp: { name: 'Kez' },
        user: { id: userId(primary), name, displayName: name },
        pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: 'public-key', alg })),
        authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
        extensions: { prf: { eval: { first: salt } } },
      },
    }),
  );
  const extensions = created.getClientExtensionResults();
  if (extensions.prf?.enabled === false) throw new StorageFault('no_biometric');
  const response = created.response as AuthenticatorAttestationResponse;
  const asked = {
    credential: new Uint8Array(created.rawId),
    transports: typeof response.getTransports === 'function' ? response.getTransports() : [],
    salt,
  };
  // Unlocking asks so too. Some authenticators answer only this way, and some have answered differently.
  const output = await ask(asked);
  const first = extensions.prf?.results?.first;
  if (first && !sameBytes(bytesOf(first), output)) throw new StorageFault('biometric_failed');
  const secret = await wrappingSecret(output);
  try {
    const wrapped = await wrap(secret, primary, secrets);
    return { version: 1, ...asked, ...wrapped };
  } finally {
    secret.fill(0);
  }
}

/** The secrets, if the credential is there and its owner agrees. */
export async function openPasskey(primary: string, passkey: Passkey): Promise<Secrets> {
  const secret = await wrappingSecret(await ask(passkey));
  try {
    return await unwrap(secret, primary, passkey);
  } catch (error) {
    throw new StorageFault('biometric_failed', { cause: error });
  } finally {
    secret.fill(0);
  }
}

async function ask(passkey: Pick<Passkey, 'credential' | 'transports' | 'salt'>): Promise<Bytes> {
  const answered = await credential(() =>
    navigator.credentials.get({
      publicKey: {
        challenge: crypto.getRandomValues(new Uint8Array(32)),
        allowCredentials: [
          {
            type: 'public-key',
            id: passkey.credential,
            transports: passkey.transports as AuthenticatorTransport[],
          },
        ],
        userVerification: 'required',
        extensions: { prf: { eval: { first: passkey.salt } } },
      },
    }),
  );
  const output = answered.getClientExtensionResults().prf?.results?.first;
  if (!output) throw new StorageFault('no_biometric');
  return bytesOf(output);
}

/** The PRF's output is used for nothing else than to grow this key. */
async function wrappingSecret(output: Bytes): Promise<Bytes> {
  const material = await crypto.subtle.importKey('raw', output, 'HKDF', false, ['deriveBits']);
  output.fill(0);
  const parameters = {
    name: 'HKDF',
    hash: 'SHA-256',
    salt: new Uint8Array(),
    info: utf8('kez-web-passkey-1'),
  };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, material, 256));
}

async function credential(prompt: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  try {
    const given = await prompt();
    if (given instanceof PublicKeyCredential) return given;
  } catch (error) {
    const wasRefused = error instanceof Error && ['NotAllowedError', 'AbortError'].includes(error.name);
    throw new StorageFault(wasRefused ? 'cancelled' : 'no_biometric', { cause: error });
  }
  throw new StorageFault('no_biometric');
}

/** The key itself: 32 bytes, well below what an authenticator keeps. */
function userId(primary: string): Bytes {
  const key = fromHex(primary.replace(/^ed25519:/, ''), 32);
  if (!key) throw new StorageFault('malformed');
  return key;
}

function bytesOf(source: BufferSource): Bytes {
  return source instanceof ArrayBuffer
    ? new Uint8Array(source.slice(0))
    : Uint8Array.from(new Uint8Array(source.buffer, source.byteOffset, source.byteLength));
}
