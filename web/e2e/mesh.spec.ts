// The server goes away under the page: it says so, keeps what is written, and goes on by itself.
import { expect, test } from './story.ts';

test('broker and services restarted under the page', async ({ person, mesh }) => {
  test.setTimeout(180_000);
  const alice = await person('alice', {
    expected: /WebSocket|Failed to (load|fetch)|ERR_|502|503|Bad Gateway/,
  });
  await alice.create();
  const handle = `re-${alice.handle}`.slice(0, 32);
  const carol = await mesh.person(handle);
  await alice.begin(handle);
  await alice.say('before');
  await alice.expectDelivery('before', 'sent', 'delivered');
  await mesh.down();
  await expect(alice.page.getByRole('button', { name: /^reconnecting/ })).toBeVisible({ timeout: 40_000 });
  await alice.say('meanwhile');
  await alice.expectDelivery('meanwhile', 'sending');
  await mesh.up();
  await expect(alice.page.getByRole('button', { name: /^live/ })).toBeVisible({ timeout: 60_000 });
  await alice.expectDelivery('meanwhile', 'sent', 'delivered');
  await carol.kez('send', alice.handle, 'and back again');
  await expect(alice.bubble('and back again')).toBeVisible();
  const mail = JSON.stringify(await carol.inbox());
  for (const text of ['before', 'meanwhile']) expect(mail.split(text)).toHaveLength(2);
});
