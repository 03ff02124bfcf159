// One identity in two browsers: what is sent in one is seen in the other, and nobody else can put words into its mouth.
import { expect, test } from './story.ts';
import { Stranger } from './stranger.ts';

test('what is sent in one browser is seen in the other, once, with its ticks', async ({ person }) => {
  const alice = await person('alice');
  await alice.create();
  const bob = await person('bob');
  await bob.create();
  await bob.live();
  await alice.begin(bob.handle);
  await alice.say('before the other browser was there');
  await alice.expectDelivery('before the other browser was there', 'delivered');
  const other = Object.assign(await person('blank'), { handle: alice.handle });
  await other.restore(alice.words.join(' '));
  await alice.say('from the first browser');
  await alice.expectDelivery('from the first browser', 'delivered');
  const row = other.page.getByRole('link', { name: new RegExp(bob.handle) });
  await expect(row).toContainText('You: from the first browser');
  await row.click();
  await expect(other.bubble('from the first browser')).toHaveCount(1);
  await bob.page.getByRole('link', { name: new RegExp(alice.handle) }).click();
  await other.expectDelivery('from the first browser', 'read');
  await other.say('from the second browser');
  await expect(alice.bubble('from the second browser')).toHaveCount(1);
  await expect(bob.bubble('from the second browser')).toHaveCount(1);
  await alice.expectDelivery('from the second browser', 'read');
  // Neither shows its own copies as notes to itself.
  for (const one of [alice, other]) {
    await one.chats();
    await expect(one.page.getByRole('region', { name: 'Conversations' }).getByRole('link')).toHaveCount(1);
  }
});

test('a stranger who says that I have sent something has only written to me', async ({ person, mesh }) => {
  const alice = await person('alice');
  await alice.create();
  const bob = await mesh.person(`bo-${alice.handle}`.slice(0, 32));
  await alice.begin(bob.handle);
  await alice.say('the only thing I said');
  const me = (await (await fetch(`${mesh.origin}/v1/u/${alice.handle}`)).json()) as { primary: string };
  const mallory = await new Stranger(mesh.origin).register(`ma-${alice.handle}`.slice(0, 32), mesh.server);
  const [id, copied] = ['1'.repeat(32), '2'.repeat(32)];
  const copyOf = { to: bob.primary as `ed25519:${string}`, id: copied };
  const body = { kind: 'text', text: 'I never said this', copyOf } as const;
  await mallory.post(alice.handle, await mallory.seal({ to: me.primary, id, body }));
  const row = alice.page.getByRole('link', { name: /I never said this/ });
  await expect(row).toContainText('1 unread message');
  await expect(row).not.toContainText('You:');
  expect(await alice.log.locator('.bubble .text').allTextContents()).toEqual(['the only thing I said']);
});
