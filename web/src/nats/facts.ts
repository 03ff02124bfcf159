// What the registry announces to everybody: that somebody has another profile. Anybody may have said so: whoever hears it asks.
import type { NatsConnection, Subscription } from '@nats-io/nats-core';
import { isObject, parse } from '../crypto/json.ts';
import { parseTime } from '../crypto/timestamp.ts';
import { subjects } from './contract.ts';

/** No fact that is of interest here is longer, in bytes. */
const LONGEST = 1024;

/** Follows those who are of interest: since when there is another profile of them, in seconds. */
export function followProfiles(
  client: NatsConnection,
  isOfInterest: (primary: string) => boolean,
  heard: (primary: string, updatedAt: number) => void,
): Subscription {
  return client.subscribe(subjects.registryFeed('*'), {
    callback: (error, { subject, data }) => {
      const primary = `ed25519:${subject.slice(subject.lastIndexOf('.') + 1)}`;
      if (error || !isOfInterest(primary)) return;
      const updatedAt = readProfileFact(data);
      if (updatedAt !== undefined) heard(primary, updatedAt);
    },
  });
}

/** When the profile is from that a fact tells of; nothing for every other fact. */
export function readProfileFact(data: Uint8Array): number | undefined {
  if (data.length > LONGEST) return undefined;
  try {
    const fact = parse(data);
    if (!isObject(fact) || fact['fact'] !== 'profile') return undefined;
    const updatedAt = fact['updated_at'];
    return typeof updatedAt === 'string' ? parseTime(updatedAt) : undefined;
  } catch {
    return undefined;
  }
}
