// What an event of a sigchain does, and the proofs of keys that must agree to it.
import { fromHex, toHex, type Bytes } from './bytes.ts';
import { canonical } from './canonical.ts';
import { parseIdentifier, type Identifier } from './identifier.ts';
import type { JsonObject } from './json.ts';
import type { Ed25519Signer } from './keys.ts';
import * as members from './payload.ts';
import { verify, type Ed25519Primary, type Primary } from './primary.ts';

/** An operation on a sigchain (protocol section 6). A proof is the added key's own signature, in hex. */
export type Op =
  | { op: 'add'; subject: Identifier }
  | { op: 'revoke'; subject: Identifier }
  | { op: 'add_device'; device: Ed25519Primary; name: string; proof: string }
  | { op: 'rotate'; successor: Ed25519Primary; proof: string }
  | { op: 'unknown' };

/** A device's agreement to sign for an identity. */
export async function deviceProof(primary: Primary, device: Ed25519Signer): Promise<string> {
  return toHex(await device.sign(agreement('device', primary, device.primary)));
}

/** A key's agreement to follow an identity. */
export async function successorProof(primary: Primary, successor: Ed25519Signer): Promise<string> {
  return toHex(await successor.sign(agreement('successor', primary, successor.primary)));
}

/** Whether the key that an operation adds, if any, has agreed to it. */
export async function proofHolds(primary: Primary, op: Op): Promise<boolean> {
  if (op.op === 'add_device') return holds('device', primary, op.device, op.proof);
  if (op.op === 'rotate') return holds('successor', primary, op.successor, op.proof);
  return true;
}

/** Reads an operation's members; those of unknown operations are not looked at. */
export function readOp(name: string, payload: JsonObject): Op {
  switch (name) {
    case 'add':
    case 'revoke':
      return { op: name, subject: parseIdentifier(members.text(payload, 'subject')) };
    case 'add_device':
      return {
        op: name,
        device: members.key(payload, 'device'),
        name: members.text(payload, 'name'),
        proof: members.text(payload, 'proof'),
      };
    case 'rotate':
      return {
        op: name,
        successor: members.key(payload, 'successor'),
        proof: members.text(payload, 'proof'),
      };
    default:
      return { op: 'unknown' };
  }
}

/** The event's `payload` member. */
export function opPayload({ op: _, ...payload }: Op): JsonObject {
  return members.payload(payload);
}

async function holds(role: string, primary: Primary, key: Ed25519Primary, proof: string): Promise<boolean> {
  const signature = fromHex(proof, 64);
  return signature !== undefined && verify(key, agreement(role, primary, key), signature);
}

/** What a key signs to agree to its role: JCS of its kind, the identity and itself. */
function agreement(role: string, primary: Primary, key: Ed25519Primary): Bytes {
  return canonical({ type: `kez.${role}`, primary, [role]: key });
}
