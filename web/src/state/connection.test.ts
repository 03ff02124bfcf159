// What the connection says before it is one: that nobody can be asked yet, and to whoever waits that it is not live.
import 'fake-indexeddb/auto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { LOOKUP } from '../nats/contract.ts';
import { Http } from '../nats/http.ts';
import { Clock } from './clock.svelte.ts';
import { Connection } from './connection.svelte.ts';
import { receiving, someone } from './receiving.ts';

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A connection that opens, to a server that takes requests and answers none. */
async function opening() {
  server = createServer(() => undefined).listen(0, '127.0.0.1');
  await new Promise((listening) => server?.once('listening', listening));
  const clock = new Clock();
  const { port } = server.address() as AddressInfo;
  const connection = new Connection(new Http(`http://127.0.0.1:${port}`), clock);
  const listener = { opened: () => undefined, disturbed: () => undefined, diagnose: async () => '' };
  const { account } = await receiving(someone(8));
  void connection.open(account, listener);
  return connection;
}

const ask = async ({ calls }: Connection) => calls.call(LOOKUP, { handle: 'bob' });

test('an account that is open is not called locked while its server has not answered', async () => {
  const connection = await opening();
  expect(connection.state).toBe('connecting');
  await expect(ask(connection)).rejects.toMatchObject({ code: 'unavailable' });
  await connection.close();
  await expect(ask(connection)).rejects.toMatchObject({ code: 'locked' });
});

test('whoever waits for it is told when the wait is over', async () => {
  const connection = await opening();
  const ending = new AbortController();
  const waiting = connection.whenLive(ending.signal);
  ending.abort();
  expect([await waiting, await connection.whenLive(ending.signal)]).toEqual([false, false]);
  await connection.close();
});
