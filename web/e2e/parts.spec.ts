// Each part of the mesh is killed under an open page, and started again: the page says so where a person would notice, keeps
// what is written, and goes on by itself.
import type { CliPerson } from './mesh.ts';
import { missingParts, PARTS, PartedMesh, type Part } from './parts.ts';
import { expect, test as story, type BrowserPerson } from './story.ts';

const missing = missingParts();

const test = story.extend<object, { mesh: PartedMesh }>({
  mesh: [
    // eslint-disable-next-line no-empty-pattern -- Playwright wants a pattern, even an empty one.
    async ({}, use) => {
      const mesh = await PartedMesh.start();
      await use(mesh);
      await mesh.stop();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
});

test.skip(missing !== undefined, missing ?? '');

/** A link that was lost is found again after some seconds, more with every attempt. */
const SOON = { timeout: 60_000 };
const AWAY = 'The server cannot be reached at the moment.';

/** How a person notices that a part is away. */
const NOTICED: Record<Part, (alice: BrowserPerson, text: string) => Promise<void>> = {
  broker: linkBroken,
  gateway: linkBroken,
  inbox: async (alice, text) => {
    await expect(alice.page.getByRole('button', { name: /^live/ })).toBeVisible();
    await alice.expectDelivery(text, 'sending');
  },
  // Who is connected stays so, and who comes is not let in.
  'auth-callout': async (alice, text) => {
    await alice.expectDelivery(text, 'sent', 'delivered');
    await alice.page.reload();
    await expect(alice.bubble(text)).toBeVisible();
    await expect(alice.page.getByText('The server does not let you in at the moment.')).toBeVisible(SOON);
    await alice.say(`${text}, not let in`);
    await alice.expectDelivery(`${text}, not let in`, 'sending');
  },
  registry: async (alice, text) => {
    await alice.expectDelivery(text, 'sent', 'delivered');
    await alice.chats();
    await alice.page.getByRole('button', { name: 'New chat' }).first().click();
    await alice.page.getByLabel('Handle, handle@server or key').fill('somebody-new');
    await alice.page.getByRole('button', { name: 'Start chat' }).click();
    await expect(alice.page.getByText(AWAY)).toBeVisible();
    await alice.page.keyboard.press('Escape');
    await alice.page.goBack();
  },
  sigchain: async (alice, text) => {
    await alice.expectDelivery(text, 'sent', 'delivered');
    await alice.page.getByRole('link', { name: 'Identity' }).click();
    await expect(alice.page.getByText(AWAY)).toBeVisible();
  },
};

/** That it works again, where the chat alone would not show it. */
const BACK: Partial<Record<Part, (alice: BrowserPerson, carol: CliPerson) => Promise<void>>> = {
  sigchain: async (alice, carol) => {
    await expect(alice.page.getByText(AWAY)).toBeHidden(SOON);
    await alice.begin(carol.handle);
  },
};

for (const part of PARTS)
  test(`${part} is killed and started again`, async ({ person, mesh }) => {
    test.setTimeout(180_000);
    const alice = await person('alice', {
      expected: /WebSocket|Failed to (load|fetch)|ERR_|50[234]|Bad Gateway/,
    });
    await alice.create();
    const carol = await mesh.person(`c-${alice.handle}`.slice(0, 32));
    await alice.begin(carol.handle);
    await alice.say('before');
    await alice.expectDelivery('before', 'sent', 'delivered');

    await mesh.kill(part);
    const meanwhile = `while ${part} is away`;
    await alice.say(meanwhile);
    await NOTICED[part](alice, meanwhile);

    await mesh.begin(part);
    await mesh.ready();
    await BACK[part]?.(alice, carol);
    await expect(alice.page.getByRole('button', { name: /^live/ })).toBeVisible(SOON);
    await expect(alice.log.locator('[data-delivery=sending]')).toHaveCount(0, SOON);
    await carol.kez('send', alice.handle, 'and back again');
    await expect(alice.bubble('and back again')).toHaveCount(1);
    const all = part === 'auth-callout' ? [meanwhile, `${meanwhile}, not let in`] : [meanwhile];
    expect(await textsOf(carol)).toEqual(['before', ...all]);
  });

async function linkBroken(alice: BrowserPerson, text: string): Promise<void> {
  await expect(alice.page.getByRole('button', { name: /^reconnecting/ })).toBeVisible(SOON);
  await alice.expectDelivery(text, 'sending');
}

/** What was written to somebody, in the order in which it came. */
async function textsOf(person: CliPerson): Promise<unknown[]> {
  const bodies = (await person.inbox()).map(({ body }) => body as { kind: string; text?: string });
  return bodies.filter(({ kind }) => kind === 'text').map(({ text }) => text);
}
