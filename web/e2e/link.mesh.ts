// The link to a real broker through the gateway's tunnel: signing in, refusals, and mail that the live feed has lost.
import type { NatsConnection, SubscriptionOptions } from '@nats-io/nats-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SecretKey } from '../src/crypto/keys.ts';
import { hexOf } from '../src/crypto/primary.ts';
import { createRegistration } from '../src/crypto/registration.ts';
import { open, sealedFromValue } from '../src/crypto/sealed.ts';
import { Calls } from '../src/nats/calls.ts';
import { FETCH, LOOKUP, REGISTER } from '../src/nats/contract.ts';
import { Feed } from '../src/nats/feed.ts';
import { Http } from '../src/nats/http.ts';
import { Link, type LinkEvents, type LinkState } from '../src/nats/link.ts';
import type { Stored } from '../src/nats/live.ts';
import { Mesh, missingMesh, type CliPerson } from './mesh.ts';

const missing = missingMesh();
if (missing) console.warn(`skipped: ${missing}`);

const now = () => Math.floor(Date.now() / 1000);
const PATIENCE = { timeout: 20_000 };

describe.skipIf(missing)('the link', () => {
  let mesh: Mesh;
  let bob: CliPerson;
  const links: Link[] = [];

  beforeAll(async () => {
    mesh = await Mesh.start();
    bob = await mesh.person('bob');
  });
  afterAll(async () => {
    for (const link of links) await link.close();
    await mesh?.stop();
  });

  async function register(handle: string): Promise<SecretKey> {
    const key = SecretKey.fromSeed(crypto.getRandomValues(new Uint8Array(32)));
    await new Http(mesh.origin).post(
      '/v1/register',
      await createRegistration(handle, mesh.server, now(), key),
    );
    return key;
  }

  async function connect(key: SecretKey, server = mesh.server, events: Partial<LinkEvents> = {}) {
    const { nats } = await new Http(mesh.origin).config();
    const states: LinkState[] = [];
    const link = new Link(
      { urls: nats, server, speaker: { primary: key.primary, signer: key }, now },
      {
        changed: (state) => states.push(state),
        opened: () => undefined,
        disturbed: () => undefined,
        ...events,
      },
    );
    links.push(link);
    link.open();
    const calls = new Calls(() => link.client, hexOf(key.primary), hexOf(key.primary));
    return { link, states, calls };
  }

  /** A mailbox that is followed, and whose live feed loses every second message. */
  async function follow(key: SecretKey) {
    const heard: Stored[] = [];
    const feed: Feed = new Feed({
      primary: hexOf(key.primary),
      since: 0,
      fetch: async (since) => {
        const { messages, more } = await calls.call(FETCH, { since, limit: 2 });
        return {
          messages: messages.map(({ received_at, ...rest }) => ({ ...rest, receivedAt: received_at })),
          more,
        };
      },
      take: async (messages) => void heard.push(...messages),
    });
    const { calls, link } = await connect(key, mesh.server, {
      opened: (client) => feed.attach(losing(client)),
      disturbed: () => feed.disturb(),
    });
    const running = feed.run();
    const texts = async () => {
      const opened = heard.map(({ envelope }) => open(sealedFromValue(envelope), key, now()));
      return (await Promise.all(opened)).map(({ body }) => (body.kind === 'text' ? body.text : body.kind));
    };
    const stop = async () => {
      feed.stop();
      await running;
    };
    return { texts, stop, link };
  }

  test('brings all mail in order and once, whatever the live feed loses and whoever is restarted', async () => {
    const { texts, stop, link } = await follow(await register('alice'));
    await expect.poll(() => link.state, PATIENCE).toBe('live');
    const expected: string[] = [];
    for (const round of [1, 2]) {
      for (const number of [1, 2, 3, 4, 5]) {
        expected.push(`${round}-${number}`);
        await bob.kez('send', 'alice', `${round}-${number}`);
      }
      // The last message of a burst shows no gap: the next one does, or a new connection.
      await mesh.down();
      await expect.poll(() => link.state, PATIENCE).toBe('reconnecting');
      await mesh.up();
      await expect.poll(texts, PATIENCE).toEqual(expected);
    }
    await stop();
  });

  test('tells a refusal from a server that is not there', async () => {
    const key = await register('carol');
    const { states, link } = await connect(key, 'another.server');
    await expect.poll(() => link.state, PATIENCE).toBe('refused');
    expect(states).toEqual(['connecting', 'refused']);
  });

  test('says what the services say', async () => {
    const { calls, link } = await connect(await register('dave'));
    await expect.poll(() => link.state, PATIENCE).toBe('live');
    await expect(calls.call(LOOKUP, { handle: 'nobody-here' })).rejects.toMatchObject({ code: 'not_found' });
    await expect(calls.call(FETCH, { since: 0, limit: 501 })).rejects.toMatchObject({ code: 'malformed' });
    await expect(calls.call({ subject: 'kez.rpc.nothing.there' }, {})).rejects.toMatchObject({
      code: 'unavailable',
    });
    expect(await calls.call(LOOKUP, { handle: 'bob' })).toMatchObject({
      fqhn: 'bob@localhost',
      primary: bob.primary,
    });
  });

  test('lets somebody who is not registered do only that', async () => {
    const key = SecretKey.fromSeed(crypto.getRandomValues(new Uint8Array(32)));
    const { calls, link } = await connect(key);
    await expect.poll(() => link.state, PATIENCE).toBe('live');
    await expect(calls.call(FETCH, { since: 0, limit: 1 })).rejects.toMatchObject({ code: 'unauthorized' });
    await expect(calls.call(REGISTER, { envelope: null })).rejects.toMatchObject({ code: 'malformed' });
  });
});

/** The same client, whose subscriptions lose every second message. */
function losing(client: NatsConnection): NatsConnection {
  let heard = 0;
  const subscribe = (subject: string, options: SubscriptionOptions = {}) => {
    const { callback } = options;
    return client.subscribe(subject, {
      ...options,
      callback: (error, message) => (++heard % 2 === 1 ? callback?.(error, message) : undefined),
    });
  };
  return new Proxy(client, {
    get: (target, name) => (name === 'subscribe' ? subscribe : Reflect.get(target, name)),
  });
}
