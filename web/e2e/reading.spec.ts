// Reading: where a chat is opened, what it follows, and what a reload in the middle of a word leaves.
import { expect, test } from './story.ts';

test('a chat that is opened at its unread line follows what comes, also when it no longer fits', async ({
  person,
  mesh,
}) => {
  const alice = await person('alice', { viewport: { width: 1280, height: 480 } });
  await alice.create();
  const handle = `fo-${alice.handle}`.slice(0, 32);
  const bob = await mesh.person(handle);
  await bob.kez('send', alice.handle, 'the first one');
  await alice.live();
  await alice.page.getByRole('link', { name: new RegExp(handle) }).click();
  await expect(alice.bubble('the first one')).toBeVisible();
  await expect(alice.log.getByText('Unread', { exact: true })).toBeVisible();
  for (let number = 1; number <= 12; number++) {
    await bob.kez('send', alice.handle, `number ${number} of twelve`);
    await expect(alice.bubble(`number ${number} of twelve`)).toBeInViewport();
  }
  await expect(alice.bubble('the first one')).not.toBeInViewport();
  await expect(alice.page.getByRole('button', { name: 'Jump to the newest message' })).toBeHidden();
  await expect(alice.page).toHaveTitle(new RegExp(`^${handle}`));
});

test('what was typed a moment before a reload is still there', async ({ person, mesh }) => {
  const alice = await person('alice');
  await alice.create();
  const handle = `dr-${alice.handle}`.slice(0, 32);
  await mesh.person(handle);
  await alice.begin(handle);
  for (const text of ['half', 'half a thought']) {
    await alice.composer.fill(text);
    await alice.page.reload();
    await expect(alice.composer).toHaveValue(text);
  }
  await alice.composer.fill('');
  await alice.page.reload();
  await expect(alice.composer).toHaveValue('');
});
