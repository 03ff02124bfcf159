// Look-ups of people: for the account that wanted them, and never more certain than they are.
import 'fake-indexeddb/auto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { Http } from '../nats/http.ts';
import { Clock } from './clock.svelte.ts';
import { Connection } from './connection.svelte.ts';
import { People } from './people.svelte.ts';
import { receiving, someone } from './receiving.ts';

const [alice, bob, carol, dave] = [1, 2, 3, 4].map((number) => someone(number).primary);
let server: Server | undefined;

afterEach(() => server?.close());

/** A server that knows everybody, and when it is asked. */
async function people() {
  const asked: string[] = [];
  const waiting: (() => void)[] = [];
  server = createServer((request, response: ServerResponse) => {
    const primary = decodeURIComponent(request.url?.split('/').at(-1) ?? '');
    asked.push(primary);
    const record = { handle: `p${primary.slice(8, 12)}`, primary, registered_at: '2026-11-20T08:00:00Z' };
    waiting.push(() =>
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ ...record, fqhn: `${record.handle}@kez.lat`, sigchain_url: '', proofs: [] })),
    );
  }).listen(0, '127.0.0.1');
  await new Promise((listening) => server?.once('listening', listening));
  const http = new Http(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const clock = new Clock();
  return { people: new People(new Connection(http, clock), http, clock), asked, waiting };
}

/** The answer to the question that waits, or comes. */
async function answer(waiting: (() => void)[]): Promise<void> {
  await expect.poll(() => waiting.length).toBeGreaterThan(0);
  waiting.shift()?.();
}

test('nobody asks for the contacts of another account, nor keeps them', async () => {
  const { people: them, asked, waiting } = await people();
  const [first, second] = [await receiving(someone(8)), await receiving(someone(9))];
  await them.unlocked(first.account, () => undefined);
  for (const primary of [alice, bob, carol]) them.of(primary ?? '');
  await expect.poll(() => asked).toEqual([alice]);
  them.locked();
  await them.unlocked(second.account, () => undefined);
  them.of(dave ?? '');
  waiting[0]?.();
  await expect.poll(() => asked).toEqual([alice, dave]);
  waiting[1]?.();
  await expect.poll(() => them.of(dave ?? '').handle).not.toBeNull();
  expect(asked).toEqual([alice, dave]);
  await expect.poll(async () => (await second.account.mailbox.notes('person:')).size).toBe(1);
  expect((await first.account.mailbox.notes('person:')).size).toBe(0);
});

test('what cannot be asked for is an error for whoever has to be sure', async () => {
  const { people: them, waiting } = await people();
  const { account } = await receiving(someone(8));
  await them.unlocked(account, () => undefined);
  const [person] = await Promise.all([them.refresh(bob ?? ''), answer(waiting)]);
  expect(person.handle).not.toBeNull();
  // There is no connection, over which alone profiles are asked for.
  const certain = them.refreshWithProfile(bob ?? '');
  await Promise.all([expect(certain).rejects.toMatchObject({ code: 'locked' }), answer(waiting)]);
});

test('without the server, somebody is found among those who have a chat', async () => {
  const { people: them, waiting } = await people();
  const here = await receiving(someone(8));
  await them.unlocked(here.account, () => undefined);
  await here.receive({ from: someone(2), body: { kind: 'text', text: 'hi' } });
  const [inList] = await Promise.all([them.refresh(bob ?? ''), answer(waiting)]);
  const [other] = await Promise.all([them.refresh(carol ?? ''), answer(waiting)]);
  server?.close().closeAllConnections();
  for (const who of [inList.handle, `@${inList.handle}@kez.lat`, bob])
    expect(await them.find(who ?? '')).toEqual(inList);
  for (const who of [other.handle, carol, dave])
    await expect(them.find(who ?? '')).rejects.toMatchObject({ code: 'unavailable' });
});
