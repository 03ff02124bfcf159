// What strangers write is text and nothing else: it breaks no page, and forged mail does nothing.
import { expect, test, originOf } from './story.ts';
import { naughty } from './naughty.ts';

test('the list of naughty strings stays text inside its bubbles', async ({ person, mesh }) => {
  const alice = await person('alice', { viewport: { width: 320, height: 640 } });
  await alice.create();
  const handle = `ha-${alice.handle}`.slice(0, 32);
  const mallory = await mesh.person(handle);
  for (const text of naughty) await mallory.kez('send', alice.handle, '--', text);
  await alice.live();
  await alice.page.getByRole('link', { name: new RegExp(handle) }).click();
  await expect(alice.log.locator('.bubble')).toHaveCount(naughty.length);
  const shown = await alice.log.locator('.bubble .text').allTextContents();
  expect(shown.toSorted()).toEqual([...naughty].toSorted());
  for (const link of await alice.log.locator('a').all()) {
    await expect(link).toHaveAttribute('rel', 'noopener noreferrer');
    expect(await link.getAttribute('href')).toMatch(/^(https?|mailto):/);
  }
  const widest = await alice.page.evaluate(() =>
    Math.max(document.documentElement.scrollWidth, document.querySelector('[role=log]')?.scrollWidth ?? 0),
  );
  expect(widest).toBeLessThanOrEqual(320);
  expect(await alice.page.evaluate(() => 'stolen' in window)).toBe(false);
});

test('mail that is no mail changes nothing', async ({ person, mesh, request }) => {
  const alice = await person('alice');
  await alice.create();
  await alice.live();
  const send = (envelope: unknown) =>
    request.post(`${originOf(mesh)}/v1/messages`, { data: { to: alice.handle, envelope } });
  const bytes = (length: number) => Buffer.alloc(length, 7).toString('base64url');
  const answer = await send({ v: 2, enc: bytes(32), ct: bytes(272) });
  expect([202, 400]).toContain(answer.status());
  if (answer.status() === 202)
    await expect(alice.page.getByText(/could not be opened or was forged/)).toBeVisible();
  await expect(alice.page.getByText('No conversations yet')).toBeVisible();
});
