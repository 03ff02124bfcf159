// What strangers write is text and nothing else: it breaks no page, and forged mail does nothing.
import { expect, test, originOf } from './story.ts';
import { naughty, naughtyNames } from './naughty.ts';
import { Stranger } from './stranger.ts';

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

test('names that break programs stay one line of text, wherever they stand', async ({ person, mesh }) => {
  test.setTimeout(180_000);
  const alice = await person('alice', { viewport: { width: 320, height: 640 } });
  await alice.create();
  for (const [at, name] of naughtyNames.entries()) {
    const stranger = new Stranger(mesh.origin);
    const handle = `n${at}-${alice.handle}`.slice(0, 32);
    await stranger.register(handle, mesh.server);
    await stranger.putProfile(handle, name, `${name}\n${name}`);
    const to = await primaryOf(mesh.origin, alice.handle);
    const body = { kind: 'text' as const, text: `hello from ${at}.` };
    await stranger.post(alice.handle, await stranger.seal({ to, id: randomId(), body }));
  }
  await alice.live();
  const { page } = alice;
  const rows = page.getByRole('link', { name: /hello from/ });
  await expect(rows).toHaveCount(naughtyNames.length);
  for (const at of naughtyNames.keys()) {
    const row = page.getByRole('link', { name: `hello from ${at}.` });
    // The name is looked up when the row is drawn: a handle, or the key, stands there before.
    await expect(row.locator('bdi').first()).not.toHaveText(/^[0-9a-f]{8}…$/);
    expect((await row.boundingBox())?.height).toBeLessThan(80);
    await row.click();
    const heading = page.getByRole('heading', { level: 1 }).locator('bdi').first();
    await expect(alice.bubble(`hello from ${at}.`)).toBeVisible();
    for (const shown of [await heading.textContent(), (await page.title()).replace(/ · Kez$/, '')]) {
      expect(shown).toMatch(/[^\p{C}\p{Z}\p{M}\u3164]/u);
      expect(shown).not.toMatch(/[\p{Cc}\u202A-\u202E\u2066-\u2069\u2028]/u);
    }
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
    await page.getByRole('button', { name: /^About/ }).click();
    await expect(page.getByRole('dialog')).toBeVisible();
    const dialog = await page
      .getByRole('dialog')
      .evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);
    expect(dialog).toBeLessThanOrEqual(0);
    await page.keyboard.press('Escape');
    await alice.chats();
  }
  expect(await page.evaluate(() => 'stolen' in window)).toBe(false);
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

async function primaryOf(origin: string, handle: string): Promise<string> {
  const record = (await (await fetch(`${origin}/v1/u/${handle}`)).json()) as { primary: string };
  return record.primary;
}

function randomId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('hex');
}
