// Every page, opened as people open it: no error, nothing against the policy, nothing that axe finds, nothing too wide.
import type { Page } from '@playwright/test';
import { paths } from '../src/routes.ts';
import { check } from './fit.ts';
import { expect, test, type BrowserPerson } from './story.ts';

const outside = [paths.landing, paths.create, paths.restore, paths.trust, '/nothing-here'];
const inside = [paths.welcome, paths.chats, paths.identity, paths.claims, paths['add-claim'], paths.settings];

for (const colorScheme of ['dark', 'light'] as const) {
  test(`pages for strangers, ${colorScheme}`, async ({ person }) => {
    const stranger = await person('stranger', { colorScheme });
    for (const path of outside) await visit(stranger.page, path);
  });

  test(`pages for whoever is signed in, ${colorScheme}`, async ({ person, mesh }) => {
    const alice = await person('alice', { colorScheme });
    await populate(alice, await mesh.person(`r${colorScheme}-${alice.handle}`.slice(0, 32)));
    for (const path of inside) await visit(alice.page, path);
    await alice.page.goto(paths.chats);
    await alice.page.getByRole('link', { name: /shall we meet/ }).click();
    await check(alice.page, 'the open chat');
    await alice.page.getByRole('button', { name: /^About/ }).click();
    await expect(alice.page.getByRole('dialog')).toBeVisible();
    await check(alice.page, 'about somebody');
    await alice.page.keyboard.press('Escape');
    await alice.page.getByRole('button', { name: 'Emoji' }).click();
    await check(alice.page, 'the emoji');
    await alice.page.keyboard.press('Escape');
    await alice.page.keyboard.press('Control+/');
    await expect(alice.page.getByRole('dialog')).toBeVisible();
    await check(alice.page, 'the shortcuts');
    await alice.page.keyboard.press('Escape');
    await alice.lock();
    await check(alice.page, 'unlock');
  });
}

test('the policy is the one that was agreed on', async ({ page, person }) => {
  const { page: own } = await person('stranger');
  const answer = await own.goto('/');
  const policy = answer?.headers()['content-security-policy'] ?? '';
  for (const part of [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types svelte-trusted-html kez-url',
  ])
    expect(policy).toContain(part);
  expect(policy).not.toContain('unsafe-inline');
  await page.close();
});

/** A chat, so that no page is empty only because nothing was ever said. */
async function populate(
  alice: BrowserPerson,
  friend: { kez(...args: string[]): Promise<string> },
): Promise<void> {
  await alice.create();
  await friend.kez('send', alice.handle, 'shall we meet at the pier? https://example.org/map');
  await alice.live();
  await expect(alice.page.getByRole('link', { name: /shall we meet/ })).toBeVisible();
}

async function visit(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await expect(page.getByRole('heading', { level: 1 }).first()).toBeVisible();
  await page.waitForLoadState('networkidle');
  await check(page, path);
}
