// What the registry announces to everybody: new profiles. Anybody may have sent it; whoever reads it verifies the envelope.
import type { NatsConnection, Subscription } from '@nats-io/nats-core';
import { canonicalText } from '../crypto/canonical.ts';
import { isObject, parse } from '../crypto/json.ts';
import { subjects } from './contract.ts';

/** No profile is longer, in bytes; a fact says little besides. */
const LONGEST = 72 * 1024;

/** Follows the profiles of those who are of interest: the envelope's text, of which nothing is known yet. */
export function followProfiles(
  client: NatsConnection,
  isOfInterest: (primary: string) => boolean,
  heard: (primary: string, envelope: string) => void,
): Subscription {
  return client.subscribe(subjects.registryFeed('*'), {
    callback: (error, { subject, data }) => {
      const primary = `ed25519:${subject.slice(subject.lastIndexOf('.') + 1)}`;
      if (error || !isOfInterest(primary)) return;
      const envelope = readProfile(data);
      if (envelope !== undefined) heard(primary, envelope);
    },
  });
}

/** The profile in a fact; none in every other one. */
export function readProfile(data: Uint8Array): string | undefined {
  if (data.length > LONGEST) return undefined;
  try {
    const fact = parse(data);
    if (!isObject(fact) || fact['fact'] !== 'profile') return undefined;
    return canonicalText(fact['envelope'] ?? null);
  } catch {
    return undefined;
  }
}
