// The NATS protocol in pieces of any size, and what a broker that means harm might send.
import { describe, expect, test } from 'vitest';
import { fromUtf8, utf8 } from '../crypto/bytes.ts';
import { publish, readHeaders, Wire } from './wire.ts';

const read = (...pieces: string[]) => {
  const wire = new Wire();
  return pieces.flatMap((piece) => wire.take(utf8(piece)));
};

describe('what a broker says', () => {
  test('is the same, however it is cut', () => {
    const whole = 'INFO {"nonce":"abc"}\r\nPONG\r\n+OK\r\nMSG _INBOX_a.1 1 5\r\nhe\r\no\r\nPING\r\n';
    const pieces = Array.from({ length: whole.length }, (_, at) => whole.slice(at, at + 1));
    expect(read(...pieces)).toEqual(read(whole));
    const said = read(whole);
    expect(said.map(({ op }) => op)).toEqual(['info', 'pong', 'message', 'ping']);
    expect(said[2]).toMatchObject({ subject: '_INBOX_a.1', headers: undefined, data: utf8('he\r\no') });
  });

  test('headers stand apart from what is said', () => {
    const [said] = read('HMSG _INBOX_a.1 1 24 26\r\nNATS/1.0\r\nName: x: y\r\n\r\n{}\r\n');
    if (said?.op !== 'message' || !said.headers) throw new Error('no headers');
    expect(fromUtf8(said.data)).toBe('{}');
    expect([...readHeaders(said.headers)]).toEqual([['Name', 'x: y']]);
  });

  test('nobody answers', () => {
    expect(readHeaders(utf8('NATS/1.0 503\r\n\r\n')).get('Status')).toBe('503');
    expect(readHeaders(utf8('NATS/1.0 503 No Responders\r\n\r\n')).get('Status')).toBe('503');
  });

  test.each([
    ['another protocol', 'HTTP/1.1 200 OK\r\n'],
    ['a line that never ends', 'INFO '.padEnd(40_000, 'x')],
    ['a line that ends in another way', 'PING\n'],
    ['more than a page of mail', 'MSG a 1 9999999\r\n'],
    ['a length that is none', 'MSG a 1 -1\r\n'],
    ['a subscription that nobody made', 'MSG a 2 1\r\nx\r\n'],
    ['headers longer than the message', 'HMSG a 1 9 5\r\n'],
    ['headers of no length', 'HMSG a 1 5\r\n'],
    ['a length for headers that are none', 'MSG a 1 2 5\r\nhello\r\n'],
    ['a message that does not end where it should', 'MSG a 1 2\r\nhello\r\n'],
  ])('%s ends the connection', (_what, text) => {
    expect(() => read(text)).toThrow();
  });

  test('bytes that are no text end it, too', () => {
    expect(() => new Wire().take(Uint8Array.of(0x2b, 0x4f, 0x4b, 0xff, 13, 10))).toThrow();
  });

  test('headers of another version', () => {
    expect(() => readHeaders(utf8('HTTP/1.0\r\nName: x\r\n\r\n'))).toThrow();
  });
});

test('a call says how many bytes it has, not how many characters', () => {
  expect(fromUtf8(publish('kez.rpc.a', '_INBOX_a.1', '"é"'))).toBe('PUB kez.rpc.a _INBOX_a.1 4\r\n"é"\r\n');
});
