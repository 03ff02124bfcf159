// This browser's own key: made once, kept encrypted, put on the sigchain by the identity, and used without being shown.
import { fromBase64url, toBase64url } from '../crypto/bytes.ts';
import { DeviceKey } from '../crypto/keys.ts';
import { deviceProof } from '../crypto/op.ts';
import type { Mailbox } from '../storage/mailbox.ts';
import type { Chains } from './chains.svelte.ts';
import { codeOf } from './refusal.ts';
import type { Unlocked } from './unlocked.ts';

/** As it is kept, inside the encryption. */
interface KeptDevice {
  pkcs8: string;
  publicKey: string;
  /** It may not be on the sigchain yet, and speaks for nobody. */
  isPending?: true;
}

const NOTE = 'device';

/** The device's key, if this browser has one that the sigchain was told of. */
export async function keptDevice(mailbox: Mailbox): Promise<DeviceKey | undefined> {
  const kept = (await mailbox.note(NOTE)) as KeptDevice | undefined;
  return kept && !kept.isPending ? load(kept) : undefined;
}

/**
 * Makes a key and has the identity say that it is a device of it. None where the browser knows no Ed25519. The key is kept first,
 * and the same one is tried until it is known to be on the sigchain: what stands there and nobody holds would stay for good.
 */
export async function makeDevice(
  account: Unlocked,
  chains: Chains,
  name: string,
): Promise<DeviceKey | undefined> {
  account.identityKey();
  const { mailbox, primary, tabs } = account;
  const kept = await tabs.exclusively(() => keptOrNew(mailbox));
  if (!kept) return undefined;
  const device = await load(kept);
  if (!kept.isPending) return device;
  const proof = await deviceProof(primary, device);
  try {
    await chains.append({ op: 'add_device', device: device.primary, name, proof });
  } catch (error) {
    // The answer to an earlier attempt was lost.
    if (codeOf(error) !== 'already_active') throw error;
  }
  const { isPending: _, ...settled } = kept;
  await mailbox.commit({ notes: { [NOTE]: settled } });
  return device;
}

/** The sigchain says that it is none of mine any more. */
export async function forgetDevice(mailbox: Mailbox): Promise<void> {
  await mailbox.commit({ notes: { [NOTE]: undefined } });
}

/** What this browser is called among the devices: `Firefox on Linux`. */
export function deviceName(agent: string): string {
  const browsers: [RegExp, string][] = [
    [/\bEdg/, 'Edge'],
    [/\bOPR\//, 'Opera'],
    [/\bFirefox\/|\bFxiOS\//, 'Firefox'],
    [/\bChrome\/|\bCriOS\//, 'Chrome'],
    [/\bSafari\//, 'Safari'],
  ];
  const systems: [RegExp, string][] = [
    [/\bAndroid\b/, 'Android'],
    [/\biPhone\b|\biPad\b/, 'iOS'],
    [/\bWindows\b/, 'Windows'],
    [/\bMacintosh\b/, 'macOS'],
    [/\bLinux\b/, 'Linux'],
  ];
  const named = (list: [RegExp, string][]) => list.find(([sign]) => sign.test(agent))?.[1];
  const system = named(systems);
  return `${named(browsers) ?? 'A browser'}${system ? ` on ${system}` : ''}`;
}

async function keptOrNew(mailbox: Mailbox): Promise<KeptDevice | undefined> {
  const kept = (await mailbox.note(NOTE)) as KeptDevice | undefined;
  if (kept) return kept;
  const made = await generate();
  if (made) await mailbox.commit({ notes: { [NOTE]: made } });
  return made;
}

async function generate(): Promise<KeptDevice | undefined> {
  try {
    const { subtle } = crypto;
    const pair = (await subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair;
    const pkcs8 = new Uint8Array(await subtle.exportKey('pkcs8', pair.privateKey));
    const publicKey = new Uint8Array(await subtle.exportKey('raw', pair.publicKey));
    return { pkcs8: toBase64url(pkcs8), publicKey: toBase64url(publicKey), isPending: true };
  } catch {
    return undefined;
  }
}

async function load({ pkcs8, publicKey }: KeptDevice): Promise<DeviceKey> {
  const { subtle } = crypto;
  const secret = fromBase64url(pkcs8);
  const pair = {
    privateKey: await subtle.importKey('pkcs8', secret, 'Ed25519', false, ['sign']),
    publicKey: await subtle.importKey('raw', fromBase64url(publicKey), 'Ed25519', true, ['verify']),
  };
  secret.fill(0);
  return DeviceKey.fromPair(pair);
}
