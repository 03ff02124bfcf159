// Requests, replies, refusals, live messages and sign-ins, as far as they need no broker.
import { headers as natsHeaders } from '@nats-io/nats-core';
import { describe, expect, test } from 'vitest';
import { fromBase64url, utf8 } from '../crypto/bytes.ts';
import { verifyEd25519 } from '../crypto/ed25519.ts';
import { SecretKey } from '../crypto/keys.ts';
import { fromNkey, keyBytes } from '../crypto/primary.ts';
import { checkSession } from '../crypto/session.ts';
import { body, read, refusal, Verbatim } from './calls.ts';
import { delay, pause } from './delay.ts';
import { Http } from './http.ts';
import { readProfileFact } from './facts.ts';
import { readLive } from './live.ts';
import { Session } from './session.ts';

const PRIMARY = 'aa'.repeat(32);

function message(headers: Record<string, string>, data = '{}') {
  const map = natsHeaders();
  for (const [name, value] of Object.entries(headers)) map.set(name, value);
  return { headers: map, data: utf8(data) };
}

function caught(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

describe('calls', () => {
  test('carry documents as they are', () => {
    expect(body({ to: 'a"b', envelope: new Verbatim('{"v" : 2}'), left: undefined })).toBe(
      '{"to":"a\\"b","envelope":{"v" : 2}}',
    );
  });

  test('are answered strictly, or refused by name', () => {
    expect(read(message({}, '{"seq":1}'))).toEqual({ seq: 1 });
    const problem =
      '{"code":"conflict","detail":"late","retry_after":3,"current":{"seq":4,"head":"sha256:00"}}';
    expect(caught(() => read(message({ 'Kez-Problem': problem })))).toMatchObject({
      code: 'conflict',
      message: 'late',
      retryAfter: 3,
      current: { seq: 4, head: 'sha256:00' },
    });
    expect(caught(() => read(message({ 'Nats-Service-Error': 'not_found' })))).toMatchObject({
      code: 'not_found',
    });
    for (const broken of ['', '{"a":1,"a":2}', '{"n":1.5}', 'no']) {
      expect(caught(() => read(message({}, broken)))).toMatchObject({ code: 'internal' });
    }
    for (const broken of [undefined, null, 3, { code: 4 }, []]) expect(refusal(broken).code).toBe('internal');
    expect(refusal({ code: 'x', detail: 1, retry_after: 'soon', current: { seq: 'a' } })).toMatchObject({
      retryAfter: undefined,
      current: undefined,
    });
  });
});

describe('live mail', () => {
  const fromStream = {
    'Nats-Stream': 'KEZ_INBOX_0',
    'Nats-Subject': `kez.inbox.aa.${PRIMARY}`,
    'Nats-Sequence': '9',
    'Nats-Last-Sequence': '7',
    'Nats-Time-Stamp': '2027-01-15T08:00:00.123456789Z',
  };

  test('is heard from the stream', () => {
    expect(readLive(message(fromStream, '{"v":2}'), PRIMARY)).toEqual({
      stored: { seq: 9, receivedAt: '2027-01-15T08:00:00Z', envelope: { v: 2 } },
      previous: 7,
    });
  });

  test('is heard from nobody else', () => {
    for (const forged of [
      { 'Nats-Stream': 'KEZ_CURSOR' },
      { 'Nats-Subject': `kez.inbox.bb.${'bb'.repeat(32)}` },
      { 'Nats-Subject': `kez.live.${PRIMARY}` },
      { 'Nats-Sequence': 'nine' },
      { 'Nats-Sequence': '1e3' },
      { 'Nats-Last-Sequence': '-1' },
      { 'Nats-Last-Sequence': '' },
    ]) {
      expect(
        readLive(message({ ...fromStream, ...forged }), PRIMARY),
        JSON.stringify(forged),
      ).toBeUndefined();
    }
    for (const name of Object.keys(fromStream).slice(0, 4)) {
      const { [name as keyof typeof fromStream]: _, ...rest } = fromStream;
      expect(readLive(message(rest), PRIMARY), name).toBeUndefined();
    }
    expect(readLive(message(fromStream, 'not JSON'), PRIMARY)).toBeUndefined();
    expect(readLive({ data: utf8('{}') }, PRIMARY)).toBeUndefined();
  });
});

describe('a session', () => {
  const identity = SecretKey.fromSeed(new Uint8Array(32).fill(7));

  test('speaks for the identity, and is renewed at half its life', async () => {
    let now = 1_800_000_000;
    const session = new Session({ primary: identity.primary, signer: identity }, 'kez.test', () => now);
    await session.renew();
    const first = session.answer('abcdefghijk');
    const checked = await checkSession(first.auth_token, 'kez.test', first.nkey, now);
    expect(checked).toMatchObject({ primary: identity.primary, device: undefined });
    expect(fromNkey(first.nkey)).not.toBe(identity.primary);
    const key = keyBytes(fromNkey(first.nkey));
    expect(await verifyEd25519(key, utf8('abcdefghijk'), fromBase64url(first.sig))).toBe(true);

    await session.renew();
    expect(session.answer('abcdefghijl').auth_token).toBe(first.auth_token);
    now += 12 * 60 * 60;
    await session.renew();
    expect(session.answer('abcdefghijl').nkey).not.toBe(first.nkey);
  });

  test('of a device says so, and only nonces are signed', async () => {
    const device = SecretKey.fromSeed(new Uint8Array(32).fill(8));
    const session = new Session(
      { primary: identity.primary, signer: device },
      'kez.test',
      () => 1_800_000_000,
    );
    expect(() => session.answer('abcdefghijk')).toThrow();
    await session.renew();
    const { auth_token: token, nkey } = session.answer('abcdefghijk');
    expect(await checkSession(token, 'kez.test', nkey, 1_800_000_000)).toMatchObject({
      device: device.primary,
    });
    for (const other of [undefined, '', 'short', 'abcdefghij{', 'GET\n/v1/inbox/a', 'a'.repeat(25)]) {
      expect(() => session.answer(other)).toThrow();
    }
  });
});

test('delays grow to eight seconds and differ', async () => {
  for (const attempts of [0, 1, 5, 6, 100]) {
    const longest = 125 * 2 ** Math.min(attempts, 6);
    expect([delay(attempts, () => 0), delay(attempts, () => 1)]).toEqual([longest / 4, longest]);
  }
  await pause(60_000, AbortSignal.abort());
  const ends = new AbortController();
  const waiting = pause(60_000, ends.signal);
  ends.abort();
  await waiting;
});

test('addresses of the broker are below the page, or their own', async () => {
  expect(new Http('https://kez.lat').webSocket('/v1/nats')).toBe('wss://kez.lat/v1/nats');
  expect(new Http('http://127.0.0.1:8080').webSocket('/v1/nats')).toBe('ws://127.0.0.1:8080/v1/nats');
  expect(new Http('https://kez.lat').webSocket('wss://nats.kez.lat')).toBe('wss://nats.kez.lat/');
  await expect(new Http('http://127.0.0.1:1').config()).rejects.toMatchObject({ code: 'unavailable' });
});

test('of what the registry announces only news of profiles are heard', () => {
  const read = (text: string) => readProfileFact(utf8(text));
  const at = '"updated_at":"2027-01-15T08:00:00Z"';
  expect(read(`{"fact":"profile",${at}}`)).toBe(1_800_000_000);
  for (const other of [
    '',
    'null',
    '[]',
    `{"fact":"registered",${at},"envelope":{}}`,
    `{"fact":"profile","fact":"profile",${at}}`,
    '{"fact":"profile","envelope":{}}',
    '{"fact":"profile","updated_at":1800000000}',
    '{"fact":"profile","updated_at":"soon"}',
    `{"fact":"profile",${at},"padding":"${'x'.repeat(1000)}"}`,
  ])
    expect(read(other)).toBeUndefined();
});
