// Known attacks (C2SP's Wycheproof and CCTV) and the test data of RFC 8785, against what this client stands on. They are
// read where they lie, and skipped where their folder is absent.
import { HkdfSha256 } from '@hpke/core';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { concat, sameBytes, toHex, type Bytes } from '../bytes.ts';
import { canonicalText } from '../canonical.ts';
import { askPlatformAgain, isStrictEncoding, verifyEd25519, verifyEd25519Here } from '../ed25519.ts';
import type { Json } from '../json.ts';
import { bytes, hasOthers, othersFolder, othersNote, othersText } from './vectors.ts';

interface Case {
  tcId: number;
  comment: string;
  result: 'valid' | 'acceptable' | 'invalid';
}

interface Group<Its> {
  publicKey: { pk: string };
  keySize: number;
  ivSize: number;
  tagSize: number;
  tests: (Case & Its)[];
}

/** All groups of a Wycheproof file; none where the folder is absent. */
function wycheproof<Its>(name: string): Group<Its>[] {
  const text = othersText(`wycheproof-${name}_test.json`);
  return text ? (JSON.parse(text) as { testGroups: Group<Its>[] }).testGroups : [];
}

function named<Its extends Case>(tests: Its[]): [string, Its][] {
  return tests.map((case_) => [`${case_.tcId} ${case_.comment}`, case_]);
}

const suite = describe.skipIf(!hasOthers);

afterEach(() => {
  vi.unstubAllGlobals();
  askPlatformAgain();
});

/** What each way of checking says: with the browser's verifier, and without. */
async function verdicts(key: Bytes, message: Bytes, signature: Bytes): Promise<boolean[]> {
  return [await verifyEd25519(key, message, signature), verifyEd25519Here(key, message, signature)];
}

suite(`ed25519-strict.json${othersNote}`, () => {
  interface Strict {
    name: string;
    key: string;
    sig: string;
    message: string;
    accept: boolean;
  }
  const { cases } = JSON.parse(othersText('ed25519-strict.json') ?? '{"cases":[]}') as { cases: Strict[] };
  test.each(cases)('$name', async ({ key, sig, message, accept }) => {
    expect(await verdicts(bytes(key), bytes(message), bytes(sig))).toEqual([accept, accept]);
  });

  test.each([
    ['takes everything', async () => true],
    ['refuses everything', async () => false],
    ['knows no Ed25519', async () => Promise.reject(new DOMException('', 'NotSupportedError'))],
  ])('holds where the browser %s', async (_, verify) => {
    const { subtle } = crypto;
    vi.stubGlobal('crypto', { subtle: { importKey: subtle.importKey.bind(subtle), verify } });
    askPlatformAgain();
    for (const { key, sig, message, accept } of cases) {
      expect(await verifyEd25519(bytes(key), bytes(message), bytes(sig))).toBe(accept);
    }
  });
});

suite(`Wycheproof Ed25519${othersNote}`, () => {
  for (const group of wycheproof<{ msg: string; sig: string }>('ed25519')) {
    test.each(named(group.tests))('%s', async (_, { msg, sig, result }) => {
      const accept = result === 'valid';
      const found = await verdicts(bytes(group.publicKey.pk), bytes(msg), bytes(sig));
      expect(found).toEqual([accept, accept]);
    });
  }
});

suite(`Wycheproof X25519${othersNote}`, () => {
  for (const group of wycheproof<{ public: string; private: string; shared: string }>('x25519')) {
    test.each(named(group.tests))('%s', async (_, case_) => {
      const [secret, publicKey] = [bytes(case_.private), bytes(case_.public)];
      const isZero = /^0*$/.test(case_.shared);
      const shared = await exchange(secret, publicKey).catch(() => undefined);
      // What does not contribute is refused, here and by HPKE.
      expect(shared && toHex(shared)).toBe(isZero ? undefined : case_.shared);
      if (shared) expect(x25519.getSharedSecret(secret, publicKey)).toEqual(shared);
      else expect(() => x25519.getSharedSecret(secret, publicKey)).toThrow();
    });
  }

  async function exchange(secret: Bytes, publicKey: Bytes): Promise<Bytes> {
    const pkcs8 = concat(bytes('302e020100300506032b656e04220420'), secret);
    const mine = await crypto.subtle.importKey('pkcs8', pkcs8, 'X25519', false, ['deriveBits']);
    const theirs = await crypto.subtle.importKey('raw', publicKey, 'X25519', false, []);
    const bits = await crypto.subtle.deriveBits({ name: 'X25519', public: theirs }, mine, 256);
    return new Uint8Array(bits);
  }
});

suite(`Wycheproof HKDF-SHA256${othersNote}`, () => {
  interface Its {
    ikm: string;
    salt: string;
    info: string;
    size: number;
    okm: string;
  }
  for (const group of wycheproof<Its>('hkdf_sha256')) {
    test.each(named(group.tests.filter(fits)))('%s', async (_, { ikm, salt, info, size, okm, result }) => {
      const hkdf = new HkdfSha256();
      hkdf.init(new Uint8Array());
      const prk = await hkdf.extract(asHashLong(bytes(salt)).buffer, bytes(ikm).buffer);
      const expanded = await hkdf.expand(prk, bytes(info).buffer, size).catch(() => undefined);
      expect(expanded && toHex(new Uint8Array(expanded))).toBe(result === 'invalid' ? undefined : okm);
    });
  }

  // HPKE's salts are as long as the hash, and the library takes no other. HMAC fills what is shorter with zeros, and takes
  // the hash of what is longer than its block: those salts have an equal of that length.
  function fits({ salt }: Its): boolean {
    return salt.length <= 2 * 32 || salt.length > 2 * 64;
  }

  function asHashLong(salt: Bytes): Bytes {
    return salt.length > 64 ? new Uint8Array(sha256(salt)) : concat(salt, new Uint8Array(32 - salt.length));
  }
});

suite(`Wycheproof AES-256-GCM${othersNote}`, () => {
  interface Its {
    key: string;
    iv: string;
    aad: string;
    msg: string;
    ct: string;
    tag: string;
  }
  const groups = wycheproof<Its>('aes_gcm').filter((group) => group.keySize === 256 && group.ivSize === 96);
  for (const group of groups) {
    test.each(named(group.tests))('%s', async (_, { key, iv, aad, msg, ct, tag, result }) => {
      const aes = await crypto.subtle.importKey('raw', bytes(key), 'AES-GCM', false, ['decrypt']);
      const parameters = { name: 'AES-GCM', iv: bytes(iv), additionalData: bytes(aad), tagLength: 128 };
      const opened = await crypto.subtle.decrypt(parameters, aes, bytes(ct + tag)).catch(() => undefined);
      expect(opened && toHex(new Uint8Array(opened))).toBe(result === 'invalid' ? undefined : msg);
    });
  }
});

suite(`JCS of RFC 8785${othersNote}`, () => {
  test.each(othersFolder('jcs/input'))('%s', (name) => {
    const value = JSON.parse(othersText(`jcs/input/${name}`) ?? '') as Json;
    expect(canonicalText(value)).toBe(othersText(`jcs/output/${name}`));
  });
});

test('the strict rule knows every point of small order, and no other', () => {
  const { Point } = ed25519;
  const order8 = Point.fromBytes(bytes('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'));
  const torsion = Array.from({ length: 8 }, (_, times) => order8.multiplyUnsafe(BigInt(times)).toBytes());
  expect(new Set(torsion.map(toHex)).size).toBe(8);
  for (const point of torsion) expect(isStrictEncoding(point)).toBe(false);
  const base = Point.BASE.toBytes();
  expect(isStrictEncoding(base)).toBe(true);
  for (const point of torsion) {
    const mixed = Point.BASE.add(Point.fromBytes(point)).toBytes();
    expect(isStrictEncoding(mixed)).toBe(true);
    expect(sameBytes(mixed, base)).toBe(torsion.indexOf(point) === 0);
  }
});
