// The whole way of a push: mail, the push service, a push network over HTTPS, the service worker, one notification.
import { missingEndpoint, PushEndpoint, PushingMesh } from './push-endpoint.ts';
import { givePush } from './push-network.ts';
import { Sleeper } from './sleeper.ts';
import { BrowserPerson, expect, originOf, test } from './story.ts';

/** A disconnection is believed when the broker, asked some seconds later, says so. */
const PATIENCE = { timeout: 40_000 };

const missing = missingEndpoint();
test.skip(missing !== undefined, missing ?? '');

test('who sleeps is woken once for a burst, and again for what comes later', async ({ browser }) => {
  const endpoint = await PushEndpoint.start();
  const mesh = await PushingMesh.startFor(endpoint);
  const context = await browser.newContext({ baseURL: originOf(mesh) });
  try {
    await givePush(context, originOf(mesh), endpoint.address);
    const alice = new BrowserPerson(context, await context.newPage(), 'alice');
    await alice.create();
    await alice.live();
    const { page } = alice;
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByRole('switch', { name: 'Tell me of messages while Kez is closed' }).click();
    await page.getByRole('switch', { name: 'Show who has written, and what' }).click();
    const sleeper = await Sleeper.of(alice, originOf(mesh));
    endpoint.deliver = () => sleeper.push();
    await page.getByRole('button', { name: 'Send a test' }).click();
    await expect(page.getByText('The server has handed it to the push network.')).toBeVisible();
    await sleeper.expectShown({ body: 'This is how Kez tells you of a message while it is closed.' });

    // While she is there nothing is pushed.
    const bob = await mesh.person('bob');
    await bob.kez('send', 'alice', 'are you there?');
    await expect(page.getByRole('link', { name: /Chats/ }).first()).toContainText('1');
    // What the page has told her of she is not told of again.
    await expect.poll(async () => (await sleeper.kept())[0]?.since).toBeGreaterThan(0);
    await page.close();
    await bob.kez('send', 'alice', 'one');
    await bob.kez('send', 'alice', 'two');
    await expect.poll(() => endpoint.arrived.length, PATIENCE).toBe(2);
    await sleeper.expectShown({ title: 'Kez', body: '2 new messages from bob' });
    // The service worker has looked for itself, which is not being there.
    await bob.kez('send', 'alice', 'three');
    await expect.poll(async () => (await sleeper.shown())[0]?.body, PATIENCE).toBe('3 new messages from bob');
    for (const { headers, bytes } of endpoint.arrived) {
      expect(bytes).toBe(0);
      expect(headers).toMatchObject({ ttl: '86400', urgency: 'high' });
      expect(headers.authorization).toMatch(/^vapid t=[\w.-]+, ?k=[\w-]{87}$/);
      expect(headers['topic']).toBeUndefined();
    }
  } finally {
    await context.close();
    await mesh.stop();
    await endpoint.stop();
  }
});
