// Mail that lies: receipts of strangers, sealed bytes that were changed, the same message twice. None of it does anything.
import type { APIRequestContext } from '@playwright/test';
import { SecretKey } from '../src/crypto/keys.ts';
import type { Body, Message } from '../src/crypto/message.ts';
import type { Ed25519Primary } from '../src/crypto/primary.ts';
import { seal, sealedText, type Sealed } from '../src/crypto/sealed.ts';
import { expect, originOf, test } from './story.ts';
import type { Mesh } from './mesh.ts';

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));

/** Somebody who speaks the protocol without a client, and sends whatever they like. */
class Forger {
  readonly #key = SecretKey.fromSeed(random(32));
  readonly #request: APIRequestContext;
  readonly #url: string;

  constructor(request: APIRequestContext, mesh: Mesh) {
    this.#request = request;
    this.#url = `${originOf(mesh)}/v1/messages`;
  }

  /** A message that is right in every way, unless it is changed afterwards. */
  seal(to: Ed25519Primary, body: Body, change: Partial<Message> = {}): Promise<Sealed> {
    const message: Message = {
      id: Buffer.from(random(16)).toString('hex'),
      primary: this.#key.primary,
      device: undefined,
      to,
      sentAt: Math.floor(Date.now() / 1000),
      body,
      ...change,
    };
    return seal(message, this.#key, random(32));
  }

  async send(to: string, sealed: Sealed): Promise<void> {
    const data = `{"to":${JSON.stringify(to)},"envelope":${sealedText(sealed)}}`;
    const answer = await this.#request.post(this.#url, {
      data,
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status(), await answer.text()).toBe(202);
  }
}

test('a receipt of somebody else moves no tick', async ({ person, mesh, request }) => {
  const [alice, bob] = [await person('alice'), await person('bob')];
  await alice.create();
  await bob.create();
  await bob.context.setOffline(true);
  await alice.begin(bob.handle);
  await alice.say('not delivered yet');
  await alice.expectDelivery('not delivered yet', 'sent');
  const id =
    (await alice.log.locator('[data-row]', { hasText: 'not delivered yet' }).getAttribute('data-row')) ?? '';
  const mallory = new Forger(request, mesh);
  const me = await primaryOf(request, mesh, alice.handle);
  await mallory.send(alice.handle, await mallory.seal(me, { kind: 'receipt', status: 'read', of: [id] }));
  await mallory.send(
    alice.handle,
    await mallory.seal(me, { kind: 'text', text: 'sent after the forged receipt' }),
  );
  await expect(alice.page.getByRole('link', { name: /sent after the forged receipt/ })).toBeVisible();
  await alice.expectDelivery('not delivered yet', 'sent');
});

test('changed bytes, a message for somebody else and an old one are dropped; a replay is shown once', async ({
  person,
  mesh,
  request,
}) => {
  const alice = await person('alice');
  await alice.create();
  await alice.live();
  const mallory = new Forger(request, mesh);
  const me = await primaryOf(request, mesh, alice.handle);
  const stranger = SecretKey.fromSeed(random(32)).primary;
  const old = Math.floor(Date.now() / 1000) - 8 * 24 * 3600;

  const tampered = await mallory.seal(me, { kind: 'text', text: 'tampered' });
  const ct = Buffer.from(tampered.ct);
  ct[ct.length - 1] = (ct[ct.length - 1] ?? 0) ^ 1;
  await mallory.send(alice.handle, { ...tampered, ct: new Uint8Array(ct) });
  await mallory.send(alice.handle, await mallory.seal(stranger, { kind: 'text', text: 'for a stranger' }));
  await mallory.send(
    alice.handle,
    await mallory.seal(me, { kind: 'text', text: 'too old' }, { sentAt: old }),
  );

  const twice = { id: Buffer.from(random(16)).toString('hex') };
  for (let again = 0; again < 2; again++)
    await mallory.send(alice.handle, await mallory.seal(me, { kind: 'text', text: 'said once' }, twice));
  await mallory.send(alice.handle, await mallory.seal(me, { kind: 'text', text: 'the last' }));

  await alice.page.getByRole('link', { name: /the last/ }).click();
  await expect(alice.bubble('the last')).toBeVisible();
  expect(await alice.log.locator('.bubble .text').allTextContents()).toEqual(['said once', 'the last']);
  await alice.chats();
  await expect(alice.page.getByText(/could not be opened or were forged/)).toBeVisible();
});

async function primaryOf(request: APIRequestContext, mesh: Mesh, handle: string): Promise<Ed25519Primary> {
  const record = (await (await request.get(`${originOf(mesh)}/v1/u/${handle}`)).json()) as {
    primary: Ed25519Primary;
  };
  return record.primary;
}
