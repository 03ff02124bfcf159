// The NATS protocol as bytes, as far as a service worker needs it: whatever else a broker sends ends the connection.
import { concat, fromUtf8, utf8 } from '../crypto/bytes.ts';

/** What a broker says. */
export type Said =
  | { op: 'info'; text: string }
  | { op: 'message'; subject: string; headers: Uint8Array | undefined; data: Uint8Array }
  | { op: 'ping' }
  | { op: 'pong' }
  | { op: 'error'; text: string };

/** No line is longer: an INFO of a large cluster is the longest. */
const MAX_LINE = 32 * 1024;
/** A page of mail with one more envelope, and what stands around them. */
const MAX_MESSAGE = 1024 * 1024;

const CR = 13;
const LF = 10;

/** Takes pieces as they come, and gives what is whole. */
export class Wire {
  #rest: Uint8Array<ArrayBuffer> = new Uint8Array();

  /** Throws at the first thing that is not understood. */
  take(piece: Uint8Array): Said[] {
    this.#rest = concat(this.#rest, piece);
    const said: Said[] = [];
    for (let one = this.#next(); one; one = this.#next()) if (one !== 'nothing') said.push(one);
    return said;
  }

  #next(): Said | 'nothing' | undefined {
    const end = this.#rest.indexOf(LF);
    if (end < 0 ? this.#rest.length > MAX_LINE : end > MAX_LINE) throw new Error('a line without an end');
    if (end < 0) return undefined;
    if (this.#rest[end - 1] !== CR) throw new Error('a line that ends in another way');
    const line = fromUtf8(this.#rest.subarray(0, end - 1));
    const message = /^(H?)MSG (\S+) 1 (?:(\d{1,7}) )?(\d{1,7})$/.exec(line);
    if (!message) {
      this.#rest = this.#rest.slice(end + 1);
      return control(line);
    }
    const subject = message[2] ?? '';
    const [head, length] = [Number(message[3] ?? 0), Number(message[4])];
    if ((message[1] === 'H') !== (message[3] !== undefined)) throw new Error('headers of no length');
    if (length > MAX_MESSAGE || head > length) throw new Error('a message that is too long');
    const [from, to] = [end + 1, end + 1 + length];
    if (this.#rest.length < to + 2) return undefined;
    if (this.#rest[to] !== CR || this.#rest[to + 1] !== LF) throw new Error('a message without an end');
    const content = this.#rest.slice(from, to);
    this.#rest = this.#rest.slice(to + 2);
    return {
      op: 'message',
      subject,
      headers: head > 0 ? content.subarray(0, head) : undefined,
      data: content.subarray(head),
    };
  }
}

/** A message's headers by name; a status without headers (no one answers) is given as `Status`. */
export function readHeaders(bytes: Uint8Array): Map<string, string> {
  const [first = '', ...lines] = fromUtf8(bytes).split('\r\n');
  const status = /^NATS\/1\.0(?: (\d{3})(?: .*)?)?$/.exec(first);
  if (!status) throw new Error('headers of another version');
  const headers = new Map<string, string>();
  if (status[1]) headers.set('Status', status[1]);
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return headers;
}

/** A call: where to, where the answer is awaited, and what is asked. */
export function publish(subject: string, reply: string, text: string): Uint8Array<ArrayBuffer> {
  const content = utf8(text);
  return concat(utf8(`PUB ${subject} ${reply} ${content.length}\r\n`), content, utf8('\r\n'));
}

function control(line: string): Said | 'nothing' {
  if (line === 'PING') return { op: 'ping' };
  if (line === 'PONG') return { op: 'pong' };
  if (line === '+OK') return 'nothing';
  if (line.startsWith('INFO ')) return { op: 'info', text: line.slice(5) };
  if (line.startsWith('-ERR')) return { op: 'error', text: line.slice(4).trim() };
  throw new Error('a line of another protocol');
}
