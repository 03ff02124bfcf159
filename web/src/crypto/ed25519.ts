// The strict Ed25519 rule (protocol section 3), written once: canonical encodings, s < L, small-order A and R refused,
// cofactorless. Two verifiers that differ fork a sigchain, so the browser's own verifier, which is ten times faster, is used
// only where it gives the right answer to signatures over which verifiers are known to differ.
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concat, fromHex, sameBytes, toHex, utf8, type Bytes } from './bytes.ts';

const { Point } = ed25519;

/** The field's prime and the order of the base point. */
const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

/** The y coordinate of two points of order 8; its negation is that of the two others. */
const Y_OF_ORDER_8 = 0x5fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;

/** The y coordinates of the eight points of small order. */
const SMALL_ORDER_Y = new Set([0n, 1n, P - 1n, Y_OF_ORDER_8, P - Y_OF_ORDER_8]);

/** Whether the signature is the key's over the message, under the strict rule. */
export async function verifyEd25519(key: Bytes, message: Bytes, signature: Bytes): Promise<boolean> {
  if (!isAcceptable(key, signature)) return false;
  const trusted = await (trust ??= platformIsTrusted());
  return trusted ? platformHolds(key, message, signature) : equationHolds(key, message, signature);
}

/** The same without the browser's verifier, and without waiting. */
export function verifyEd25519Here(key: Bytes, message: Bytes, signature: Bytes): boolean {
  return isAcceptable(key, signature) && equationHolds(key, message, signature);
}

/** Whether these bytes are the canonical encoding of a y coordinate whose point is not of small order. */
export function isStrictEncoding(point: Uint8Array): boolean {
  const y = littleEndian(point) & (2n ** 255n - 1n);
  return point.length === 32 && y < P && !SMALL_ORDER_Y.has(y);
}

/** All of the rule but the equation. */
function isAcceptable(key: Bytes, signature: Bytes): boolean {
  return (
    signature.length === 64 &&
    isStrictEncoding(key) &&
    isStrictEncoding(signature.subarray(0, 32)) &&
    littleEndian(signature.subarray(32)) < L
  );
}

/** Whether R is the canonical encoding of sB − kA: on bytes, so that no other encoding of R passes, and without cofactor. */
function equationHolds(key: Bytes, message: Bytes, signature: Bytes): boolean {
  const [r, s] = [signature.subarray(0, 32), littleEndian(signature.subarray(32))];
  const k = littleEndian(sha512(concat(r, key, message))) % L;
  try {
    const expected = Point.BASE.multiplyUnsafe(s).subtract(Point.fromBytes(key).multiplyUnsafe(k));
    return sameBytes(expected.toBytes(), r);
  } catch {
    return false; // The key is no point of the curve.
  }
}

async function platformHolds(key: Bytes, message: Bytes, signature: Bytes): Promise<boolean> {
  try {
    const imported = await crypto.subtle.importKey('raw', key, 'Ed25519', false, ['verify']);
    return await crypto.subtle.verify('Ed25519', imported, signature, message);
  } catch {
    return false; // The key is no point of the curve.
  }
}

/** Whether the browser's verifier may be used; asked once. */
let trust: Promise<boolean> | undefined;

async function platformIsTrusted(): Promise<boolean> {
  for (const { key, signature, message, holds } of TELLTALES) {
    const [keyBytes, signatureBytes] = [fromHex(key, 32), fromHex(signature, 64)];
    if (!keyBytes || !signatureBytes) return false;
    if ((await platformHolds(keyBytes, utf8(message), signatureBytes)) !== holds) return false;
  }
  return true;
}

/** Forgets whether the browser's verifier may be used, so that tests can ask under another one. */
export function askPlatformAgain(): void {
  trust = undefined;
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes.toReversed())}`);
}

/**
 * Signatures over which verifiers differ (C2SP/CCTV), with what the strict rule says: points with a component of small
 * order, whose equation holds without a cofactor, or only with one.
 */
const TELLTALES = [
  {
    key: '10eb7c3acfb2bed3e0d6ab89bf5a3d6afddd1176ce4812e38d9fd485058fdb1f',
    signature:
      '36684ea91032ba5b1dbab2d02f4debc74c3327f2b3802e2e4d371aa42b12b56bbbfd00bd9c259d8d222d15e67a3d8228585050dbb9b9585be20d8fadc721da03',
    message: 'ed25519vectors',
    holds: true,
  },
  {
    key: '10eb7c3acfb2bed3e0d6ab89bf5a3d6afddd1176ce4812e38d9fd485058fdb1f',
    signature:
      'f36121d8b0b7df104e6576f0745d2786e8ef5bcfc3110b512062223b17e5e0ee8093711b51dce8d4ef35fd239caecd236d2ca58604bc779880708568423a9700',
    message: 'ed25519vectors',
    holds: false,
  },
  {
    key: '10eb7c3acfb2bed3e0d6ab89bf5a3d6afddd1176ce4812e38d9fd485058fdb1f',
    signature:
      'b62cf890de42c413b11b1411c9f01f1c4d77aa87ef182258d1251f69af2a3506030b03796b78f7afeadfccaedc9d09ce6d487d1ece1f16b1ae2b59b7e5c40603',
    message: 'ed25519vectors 3',
    holds: false,
  },
];
