// What takes long, asked through a line as a worker has it: everything travels as the browser copies it.
import { argon2id } from '@noble/hashes/argon2.js';
import { pbkdf2 } from '@noble/hashes/pbkdf2.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { afterEach, expect, test, vi } from 'vitest';
import { utf8 } from '../crypto/bytes.ts';
import { addOp, Chain } from '../crypto/chain.ts';
import { parse } from '../crypto/json.ts';
import { SecretKey } from '../crypto/keys.ts';
import { seal, sealedText } from '../crypto/sealed.ts';
import { answerCalls } from './calls.ts';
import { tasks } from './tasks.ts';
import { Work, type Line } from './work.ts';

const NOW = 1_779_678_000;
const [alice, bob] = [1, 2].map((byte) => SecretKey.fromSeed(new Uint8Array(32).fill(byte))) as [
  SecretKey,
  SecretKey,
];
const salt = utf8('sixteen bytes ok');
const lines: MessagePort[] = [];

/** A line to the tasks, in this thread: both ends are real, and messages are copied. */
function line(): Line {
  const { port1, port2 } = new MessageChannel();
  answerCalls(port2, tasks);
  lines.push(port1);
  return Object.assign(port1, { terminate: () => port1.close() });
}

afterEach(() => {
  for (const port of lines.splice(0)) port.close();
  vi.unstubAllGlobals();
});

test('Argon2id and PBKDF2 are those of another implementation', async () => {
  const work = new Work(line);
  const cost = { memory: 1024, passes: 3, lanes: 1 };
  expect(await work.derive('öpen sesame', { name: 'argon2id', ...cost, salt })).toEqual(
    argon2id('öpen sesame', salt, { m: 1024, t: 3, p: 1, dkLen: 32 }),
  );
  expect(await work.derive('öpen sesame', { name: 'pbkdf2-sha256', passes: 1000, salt })).toEqual(
    pbkdf2(sha256, 'öpen sesame', salt, { c: 1000, dkLen: 32 }),
  );
});

test('a new passphrase costs 64 MiB, or 600,000 rounds where that cannot run', async () => {
  const work = new Work(line);
  expect(await work.newDerivation()).toMatchObject({ name: 'argon2id', memory: 65_536, passes: 3, lanes: 1 });
  vi.stubGlobal('WebAssembly', undefined);
  expect(await work.newDerivation()).toMatchObject({ name: 'pbkdf2-sha256', passes: 600_000 });
  const salts = await Promise.all([work.newDerivation(), work.newDerivation()]);
  expect(salts[0].salt).not.toEqual(salts[1].salt);
});

test('messages open in their order, each for itself', async () => {
  const envelopes = [];
  for (let number = 0; number < 130; number++) {
    const message = {
      id: number.toString(16).padStart(32, '0'),
      primary: alice.primary,
      device: undefined,
      to: number === 7 ? alice.primary : bob.primary,
      sentAt: number === 100 ? 0 : NOW,
      body: { kind: 'text', text: `number ${number}` } as const,
    };
    const random = crypto.getRandomValues(new Uint8Array(32));
    envelopes.push(parse(sealedText(await seal(message, alice, random))));
  }
  envelopes[3] = parse('{"v":2}');
  const opened = await new Work(line).open(envelopes, bob, NOW);
  const seen = opened.map((one) => ('code' in one ? one.code : Number.parseInt(one.message.id, 16)));
  const expected: (number | string)[] = envelopes.map((_, number) => number);
  Object.assign(expected, { 3: 'malformed', 7: 'cannot_open', 100: 'stale' });
  expect(seen).toEqual(expected);
});

test('a chain goes on as far as its events hold', async () => {
  const chain = new Chain(alice.primary);
  const events: string[] = [];
  for (let number = 0; number < 100; number++) {
    const event = await chain.signNext(addOp(`github:user${number}`), NOW + number, alice);
    await chain.append(event);
    events.push(event);
  }
  const work = new Work(line);
  const empty = new Chain(alice.primary).state();
  const whole = await work.extend(empty, events);
  expect(whole.state).toEqual(chain.state());
  expect([whole.heads.at(-1), whole.heads.length, whole.fault]).toEqual([chain.head, 100, null]);
  expect(whole.since.at(-1)).toEqual(['github:user99', NOW + 99]);
  const gap = await work.extend(empty, events.toSpliced(70, 1));
  expect([gap.state.length, gap.fault]).toEqual([70, { code: 'wrong_seq', seq: 70 }]);
  expect((await work.extend(gap.state, events.slice(70))).state).toEqual(chain.state());
});

test('calls fail when the worker is stopped or breaks, and the next one starts another', async () => {
  const started: Line[] = [];
  const silent = (): Line => {
    const line = { postMessage: () => undefined, onmessage: null, terminate: vi.fn() };
    started.push(line);
    return line;
  };
  const work = new Work(silent);
  const stopped = work.derive('', { name: 'pbkdf2-sha256', passes: 1, salt });
  work.stop();
  await expect(stopped).rejects.toThrow('stopped');
  expect(started[0]?.terminate).toHaveBeenCalledOnce();
  const broken = work.newDerivation();
  (started[1] as { onerror?: () => void }).onerror?.();
  await expect(broken).rejects.toThrow('broke');
  work.newDerivation().catch(() => undefined);
  expect(started).toHaveLength(3);
  work.stop();
});

test('no other worker is started, and handed what opens mail, for a call that began before the stop', async () => {
  const start = vi.fn(line);
  const work = new Work(start);
  const opening = work.open([], bob, NOW);
  work.stop();
  await expect(opening).rejects.toThrow('stopped');
  expect(start).not.toHaveBeenCalled();
  expect(await work.open([], bob, NOW)).toEqual([]);
});

test('a task that fails says so', async () => {
  const bad = { name: 'argon2id', memory: 1, passes: 0, lanes: 1, salt } as const;
  await expect(new Work(line).derive('', bad)).rejects.toThrow();
});
