// Mail that must not be lost, whatever somebody else puts onto a sigchain, and whatever clock and device it was written with.
import 'fake-indexeddb/auto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Chain } from '../src/crypto/chain.ts';
import { createSigned, envelopeText } from '../src/crypto/envelope.ts';
import type { Json, JsonObject } from '../src/crypto/json.ts';
import { SecretKey } from '../src/crypto/keys.ts';
import { messageId } from '../src/crypto/message.ts';
import { deviceProof, opPayload, type Op } from '../src/crypto/op.ts';
import { payload } from '../src/crypto/payload.ts';
import { formatTime } from '../src/crypto/timestamp.ts';
import { Clock } from '../src/state/clock.svelte.ts';
import { Browsers, live, PASSPHRASE, PATIENCE } from './browsers.ts';
import { Mesh, missingMesh, type CliPerson } from './mesh.ts';
import { Stranger } from './stranger.ts';
import type { Tab } from './tab.ts';

const missing = missingMesh();
if (missing) console.warn(`skipped: ${missing}`);

describe.skipIf(missing)('mail is not lost', () => {
  let mesh: Mesh;
  let bob: CliPerson;
  const browsers = new Browsers(() => mesh.origin);

  beforeAll(async () => {
    mesh = await Mesh.start();
    bob = await mesh.person('bob');
  });
  afterEach(() => browsers.close());
  afterAll(() => mesh?.stop());

  const previews = ({ kez }: Tab) => kez.chats.list.map(({ preview }) => preview).toSorted();

  test('behind a message whose sender has as deep an event as there may be on a sigchain', async () => {
    const alice = await browsers.create('alice');
    const me = alice.kez.account.current?.primary ?? '';
    const stranger = new Stranger(mesh.origin);
    const chain = new Chain(stranger.key.primary);
    let deep: Json = 1;
    for (let levels = 0; levels < 62; levels++) deep = [deep];
    const device = await addDevice(stranger, chain, { deep });
    await stranger.post(me, await letter(stranger, me, device, 'from the deep'));
    await bob.kez('send', 'alice', 'behind it');
    await expect.poll(() => previews(alice), PATIENCE).toEqual(['behind it', 'from the deep']);
  });

  test('while the longest of sigchains is followed, nor what its owner writes', async () => {
    const frank = await browsers.create('frank');
    const me = frank.kez.account.current?.primary ?? '';
    const stranger = new Stranger(mesh.origin);
    const chain = new Chain(stranger.key.primary);
    // More than two pages, of half a megabyte each.
    for (let number = 0; number < 80; number++)
      await addDevice(stranger, chain, { long: 'x'.repeat(15_000) });
    const device = await addDevice(stranger, chain, {});
    await stranger.post(me, await letter(stranger, me, device, 'from far away'));
    await bob.kez('send', 'frank', 'behind it');
    await expect.poll(() => previews(frank), PATIENCE).toEqual(['behind it', 'from far away']);
  });

  test('by a clock that is an hour behind', async () => {
    const carol = await browsers.create('carol');
    await carol.close();
    const late = Object.assign(new Clock(), { now: () => Date.now() - 3_600_000 });
    const again = await browsers.open('carol', late);
    await live(again);
    await bob.kez('send', 'carol', 'in time');
    await expect.poll(() => previews(again), PATIENCE).toEqual(['in time']);
    expect(again.kez.chats.refused).toEqual({});
  });

  test('when the device that has signed it was taken off the sigchain before it left', async () => {
    const dave = await browsers.create('dave');
    const erin = await browsers.create('erin');
    const second = await browsers.open('dave-2');
    await second.kez.account.restore({ secret: dave.words.join(' '), passphrase: PASSPHRASE });
    await live(second);
    const { devices } = await dave.kez.chains.read(dave.kez.account.current?.primary ?? '');
    const chat = await dave.kez.chats.open(await dave.kez.chats.begin('erin'));
    await dave.kez.connection.close();
    await chat.send('written before');
    await dave.close();
    await second.kez.chains.revokeDevice(devices.find(({ isThis }) => isThis)?.device ?? '');

    const again = await browsers.open('dave');
    await expect.poll(() => again.kez.account.lockedBecause, PATIENCE).toBe('unknown_device');
    await again.kez.account.unlock(PASSPHRASE);
    await expect.poll(() => previews(erin), PATIENCE).toEqual(['written before']);
    expect(erin.kez.chats.refused).toEqual({});
  });
});

/** A text of the stranger, signed by a device. */
async function letter(stranger: Stranger, to: string, signer: SecretKey, text: string): Promise<string> {
  const id = messageId(crypto.getRandomValues(new Uint8Array(16)));
  return stranger.seal({ to, id, body: { kind: 'text', text }, signer });
}

/** A new device at the end of the stranger's sigchain, by an event in which something stands that this version does not know. */
async function addDevice(stranger: Stranger, chain: Chain, more: JsonObject): Promise<SecretKey> {
  const device = SecretKey.fromSeed(crypto.getRandomValues(new Uint8Array(32)));
  const proof = await deviceProof(chain.primary, device);
  const op: Op = { op: 'add_device', device: device.primary, name: 'a device', proof };
  const members = payload({
    primary: chain.primary,
    seq: chain.length,
    prev: chain.head,
    created_at: formatTime(Date.now() / 1000),
    op: op.op,
    payload: opPayload(op),
    ...more,
  });
  const event = envelopeText(await createSigned('sigchain_event', members, stranger.key));
  await chain.append(event);
  await stranger.append(event);
  return device;
}
