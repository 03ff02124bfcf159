// The lines inside an archive, read with care: whoever knows the passphrase may have written anything.
import { isObject, parse, type JsonObject } from '../crypto/json.ts';
import * as members from '../crypto/payload.ts';
import { StorageFault } from './fault.ts';
import type { KeptMessage, KeptStatus } from './kept.ts';

/** Whose messages they are. */
export interface ArchiveOwner {
  primary: string;
  handle: string;
  server: string;
}

export interface ArchiveContent {
  owner: ArchiveOwner;
  messages: KeptMessage[];
  drafts: { peer: string; text: string }[];
}

const STATUSES: readonly string[] = ['sending', 'sent', 'delivered', 'read', 'failed'];

/** Lines of a type that this version does not know are passed over. */
export function readLines(text: string, parseTime: (text: string) => number): ArchiveContent {
  const lines = text.trimEnd().split('\n').map(readLine);
  const [first, last] = [lines[0], lines.at(-1)];
  if (first?.['type'] !== 'archive' || last?.['type'] !== 'end') throw new StorageFault('malformed');
  if (first['version'] !== 1) throw new StorageFault('unsupported_version');
  const messages = lines
    .filter((line) => line['type'] === 'message')
    .map((line) => readMessage(line, parseTime));
  if (last['messages'] !== messages.length) throw new StorageFault('malformed');
  const drafts = lines.filter((line) => line['type'] === 'draft');
  return {
    owner: {
      primary: members.key(first, 'primary'),
      handle: members.text(first, 'handle'),
      server: members.text(first, 'server'),
    },
    messages,
    drafts: drafts.map((line) => ({ peer: members.key(line, 'peer'), text: members.text(line, 'text') })),
  };
}

function readLine(line: string): JsonObject {
  const value = parse(line);
  if (!isObject(value)) throw new StorageFault('malformed');
  return value;
}

function readMessage(line: JsonObject, parseTime: (text: string) => number): KeptMessage {
  const isMine = members.value(line, 'mine') === true;
  const id = members.text(line, 'id');
  if (!/^[0-9a-f]{32}$/.test(id)) throw new StorageFault('malformed');
  const common = {
    id,
    peer: members.key(line, 'peer'),
    place: 0,
    isMine,
    at: parseTime(members.text(line, 'sent_at')) * 1000,
    status: isMine ? readStatus(line) : null,
  };
  if (members.has(line, 'text')) return { ...common, text: members.text(line, 'text') };
  return { ...common, text: null, body: members.value(line, 'body') };
}

/** What was on its way when the archive was written is not any more: no outbox came with it. */
function readStatus(line: JsonObject): KeptStatus {
  const status = members.text(line, 'status');
  if (!STATUSES.includes(status)) throw new StorageFault('malformed');
  return status === 'sending' ? 'failed' : (status as KeptStatus);
}
