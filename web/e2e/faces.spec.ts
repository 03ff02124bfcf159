// Pictures: what contacts see, what strangers can get, and what no file that somebody chooses can do.
import { AxeBuilder } from '@axe-core/playwright';
import type { APIRequestContext, Locator, Page } from '@playwright/test';
import { toHex, utf8 } from '../src/crypto/bytes.ts';
import { recover } from '../src/crypto/phrase.ts';
import { openOwnKey, openPicture, readPicture } from '../src/crypto/picture.ts';
import { checkProfile, createProfile } from '../src/crypto/profile.ts';
import { signRequest } from '../src/crypto/request-auth.ts';
import { sha256 } from '@noble/hashes/sha2.js';
import { stripes } from './paintings.ts';
import { expect, originOf, test, type BrowserPerson } from './story.ts';
import type { Mesh } from './mesh.ts';

/** The pixels of an image on a page, by their hash; the browser decodes them, and the page's policy is not asked. */
async function pixels(image: Locator): Promise<string> {
  await expect(image).toBeVisible();
  return image.evaluate(async (element: HTMLImageElement) => {
    await element.decode();
    const canvas = new OffscreenCanvas(element.naturalWidth, element.naturalHeight);
    const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
    context.drawImage(element, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const digest = await crypto.subtle.digest('SHA-256', data);
    return `${canvas.width} ${[...new Uint8Array(digest)].join(' ')}`;
  });
}

const own = (page: Page) => page.locator('main button img').first();
const inHeader = (page: Page) => page.getByRole('button', { name: /^About/ }).locator('img');

async function toIdentity({ page }: BrowserPerson): Promise<void> {
  await page.getByRole('link', { name: 'Identity' }).first().click();
  await expect(page.getByRole('heading', { name: 'Profile' })).toBeVisible();
}

async function choose(person: BrowserPerson, file = stripes()): Promise<void> {
  await toIdentity(person);
  await person.page.locator('input[type=file]').setInputFiles(file);
}

/** The signed profile that anybody can fetch. */
async function published(request: APIRequestContext, mesh: Mesh, handle: string) {
  const answer = await request.get(`${originOf(mesh)}/v1/profile/${handle}`);
  expect(answer.status()).toBe(200);
  const text = await answer.text();
  return { text, profile: await checkProfile(text, Math.floor(Date.now() / 1000)) };
}

test('a contact sees the picture, a stranger its scrambled preview, and a blank browser brings it back', async ({
  person,
  mesh,
  request,
}) => {
  const [alice, bob, carol] = [await person('alice'), await person('bob'), await person('carol')];
  for (const one of [alice, bob, carol]) await one.create();
  await bob.live();
  await alice.begin(bob.handle);
  await alice.say('hello bob');
  await expect(bob.page.getByRole('link', { name: /hello bob/ })).toBeVisible();
  await choose(alice);
  await expect(own(alice.page)).toHaveAttribute('src', /^blob:/);
  const picture = await pixels(own(alice.page));
  expect(picture).toMatch(/^256 /);

  // Bob has it without doing anything: his list shows it, and no message that was none.
  const row = bob.page.getByRole('link', { name: /hello bob/ });
  await expect(row.locator('img')).toHaveAttribute('src', /^blob:/);
  expect(await pixels(row.locator('img'))).toBe(picture);
  await row.click();
  expect(await pixels(inHeader(bob.page))).toBe(picture);
  await expect(bob.log.locator('.bubble')).toHaveCount(1);
  await bob.page.getByRole('button', { name: /^About/ }).click();
  await bob.page.getByRole('button', { name: 'Show the picture large' }).click();
  const large = bob.page.getByRole('dialog').last().locator('img');
  expect(await pixels(large)).toBe(picture);
  expect((await large.boundingBox())?.width).toBeGreaterThan(200);
  // By keyboard: closed, the focus is back where it came from.
  await bob.page.getByRole('dialog').last().getByRole('button', { name: 'Close' }).press('Enter');
  const face = bob.page.getByRole('button', { name: 'Show the picture large' });
  await expect(face).toBeFocused();
  await face.press('Enter');
  await expect(large).toBeVisible();
  await bob.page.keyboard.press('Escape');
  await expect(face).toBeFocused();

  // Carol can fetch all that there is, and sees other pixels.
  await carol.begin(alice.handle);
  await expect(inHeader(carol.page)).toHaveAttribute('src', /^data:image\/png;base64,/);
  const seen = await pixels(inHeader(carol.page));
  await carol.page.getByRole('button', { name: /^About/ }).click();
  await expect(carol.page.getByText('A scrambled preview')).toBeVisible();
  await carol.page.keyboard.press('Escape');
  expect(seen).toMatch(/^64 /);
  await alice.page.getByRole('link', { name: 'Settings' }).first().click();
  const shown = alice.page.locator('[data-face=strangers] img');
  expect(await pixels(shown), 'what the settings say that strangers see').toBe(seen);

  // What a stranger can fetch holds the image only for whoever has the key, which only Alice's words open.
  const { text, profile } = await published(request, mesh, alice.handle);
  const opened = readPicture(profile.picture ?? null);
  const secret = recover(alice.words.join(' ')).key;
  const key = await openOwnKey(opened, secret);
  const image = await openPicture(opened, secret.primary, key);
  for (const secret of [key, image.subarray(0, 600), image.subarray(-600)]) {
    for (const offset of [0, 1, 2]) {
      const part = Buffer.from(secret.subarray(offset, offset + 24));
      for (const form of ['base64', 'base64url', 'hex'] as const)
        expect(text).not.toContain(part.toString(form));
    }
  }

  const elsewhere = Object.assign(await person('blank'), { handle: alice.handle });
  await elsewhere.restore(alice.words.join(' '));
  await toIdentity(elsewhere);
  await expect(own(elsewhere.page)).toHaveAttribute('src', /^blob:/);
  expect(await pixels(own(elsewhere.page))).toBe(picture);
});

test('whoever is written to for the first time gets the picture with it; removed, it is gone for everybody', async ({
  person,
}) => {
  const [alice, bob] = [await person('alice'), await person('bob')];
  for (const one of [alice, bob]) await one.create();
  await alice.live();
  await choose(alice);
  await expect(own(alice.page)).toHaveAttribute('src', /^blob:/);
  await bob.live();
  await alice.begin(bob.handle);
  await alice.say('look who it is');
  const row = bob.page.getByRole('link', { name: /look who it is/ });
  await expect(row.locator('img')).toHaveAttribute('src', /^blob:/);
  await expect(bob.page).toHaveTitle(/^\(1\)/);

  await bob.page.reload();
  await expect(row.locator('img')).toHaveAttribute('src', /^blob:/);
  await toIdentity(alice);
  await alice.page.getByRole('button', { name: 'Remove' }).click();
  await expect(own(alice.page)).toHaveCount(0);
  await expect(row).toBeVisible();
  await expect(row.locator('img')).toHaveCount(0);
  await expect(row.locator('svg').first()).toBeVisible();
});

test('a picture is pasted, and dropped; strangers are shown the pattern when that is chosen', async ({
  person,
  mesh,
  request,
}) => {
  const alice = await person('alice', { viewport: { width: 320, height: 640 } });
  const { page } = alice;
  await alice.create();
  await alice.live();
  await toIdentity(alice);
  /** Whether it was taken. */
  const hand = async (kind: 'paste' | 'drop', size: number, where = 'body', text = '') =>
    page.evaluate(
      ([kind, bytes, where, text]) => {
        const data = new DataTransfer();
        if (text !== '') data.items.add(text, 'text/plain');
        data.items.add(new File([new Uint8Array(bytes)], 'me.png', { type: 'image/png' }));
        const target = document.querySelector(where);
        const more = { bubbles: true, cancelable: true };
        const event =
          kind === 'drop'
            ? new DragEvent('drop', { ...more, dataTransfer: data })
            : new ClipboardEvent('paste', { ...more, clipboardData: data });
        return target?.dispatchEvent(event) === false;
      },
      [kind, [...stripes(size).buffer], where, text] as const,
    );
  // Cells of a table are text with an image of it, and a field is no place for a picture.
  expect(await hand('paste', 80, 'body', '1\t2\n3\t4')).toBe(false);
  expect(await hand('paste', 80, '#about')).toBe(false);
  await page.getByLabel('About').fill('still here');
  await expect(own(page)).toHaveCount(0);
  expect(await hand('paste', 100)).toBe(true);
  await expect(own(page)).toHaveAttribute('src', /^blob:/);
  const pasted = (await own(page).getAttribute('src')) ?? '';
  expect(await hand('drop', 90, '[role=group]')).toBe(true);
  await expect(own(page)).not.toHaveAttribute('src', pasted);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
  expect((await new AxeBuilder({ page }).analyze()).violations.map(({ id }) => id)).toEqual([]);

  await page.getByRole('link', { name: 'Settings' }).first().click();
  const shows = page.getByRole('switch', { name: 'Show strangers a scrambled picture' });
  await expect(shows).toBeChecked();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
  expect((await new AxeBuilder({ page }).analyze()).violations.map(({ id }) => id)).toEqual([]);
  await shows.click();
  await expect(shows).not.toBeChecked();
  await expect(page.locator('[data-face=strangers] img')).toHaveCount(0);
  expect((await published(request, mesh, alice.handle)).text).not.toContain('data:image');
  // After a reload the identity's key is not in memory: the passphrase is asked for, and the change goes on.
  await page.reload();
  await alice.live();
  await page.getByRole('link', { name: 'Settings' }).first().click();
  await shows.click();
  await page.getByLabel('Passphrase', { exact: true }).fill(alice.passphrase);
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(shows).toBeChecked();
  expect((await published(request, mesh, alice.handle)).text).toContain('#kez-visual-v1:');
});

test('a file that is no picture, or asks for a wall of pixels, is refused; a camera’s notes do not travel', async ({
  person,
  mesh,
  request,
}) => {
  const alice = await person('alice');
  const { page } = alice;
  await alice.create();
  await alice.live();
  const named = (name: string, mimeType: string, buffer: Buffer<ArrayBuffer>) => ({ name, mimeType, buffer });
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>');
  const wall = Buffer.from(stripes().buffer);
  wall.writeUInt32BE(60_000, 16);
  wall.writeUInt32BE(60_000, 20);
  const cut = stripes().buffer.subarray(0, 60);
  const refused = [
    [named('me.svg', 'image/svg+xml', svg), 'That is no picture'],
    [named('me.png', 'image/png', svg), 'That is no picture'],
    [named('wall.png', 'image/png', wall), 'too large'],
    [named('cut.png', 'image/png', cut), 'That is no picture'],
    [named('empty.jpg', 'image/jpeg', Buffer.alloc(0)), 'That is no picture'],
  ] as const;
  for (const [file, why] of refused) {
    await choose(alice, file);
    await expect(page.getByRole('alert')).toContainText(why);
    await expect(page.getByRole('button', { name: 'Choose a picture' })).toHaveAttribute(
      'aria-busy',
      'false',
    );
    await expect(own(page)).toHaveCount(0);
  }

  await choose(alice, named('me.jpg', 'image/jpeg', await photograph(page)));
  await expect(own(page)).toHaveAttribute('src', /^blob:/);
  const { profile } = await published(request, mesh, alice.handle);
  const opened = readPicture(profile.picture ?? null);
  const secret = recover(alice.words.join(' ')).key;
  const image = await openPicture(opened, secret.primary, await openOwnKey(opened, secret));
  expect(Buffer.from(image).includes('the pier, 54.3')).toBe(false);
  expect(image.length).toBeLessThan(24 * 1024);
  // What lay on its side is upright: the camera's word for that is the one that counts.
  expect(await corner(own(page))).toBe('red above blue');
});

test('an older profile is refused by the server', async ({ person, mesh, request }) => {
  const alice = await person('alice');
  await alice.create();
  await alice.live();
  await choose(alice);
  await expect(own(alice.page)).toHaveAttribute('src', /^blob:/);
  const before = await published(request, mesh, alice.handle);
  const { key } = recover(alice.words.join(' '));
  const now = Math.floor(Date.now() / 1000);
  const older = await createProfile({ displayName: 'old me', updatedAt: before.profile.updatedAt - 60 }, key);
  const path = `/v1/profile/${alice.handle}`;
  const header = await signRequest(`PUT\n${path}\n${toHex(sha256(utf8(older)))}`, now, key);
  const answer = await request.put(`${originOf(mesh)}${path}`, {
    data: older,
    headers: { 'content-type': 'application/json', 'X-KEZ-Auth': header },
  });
  expect([answer.status(), ((await answer.json()) as { code: string }).code]).toEqual([409, 'outdated']);
  expect((await published(request, mesh, alice.handle)).text).toBe(before.text);
});

/** What is at the top of an image, and what at the bottom. */
async function corner(image: Locator): Promise<string> {
  return image.evaluate(async (element: HTMLImageElement) => {
    await element.decode();
    const context = new OffscreenCanvas(256, 256).getContext('2d') as OffscreenCanvasRenderingContext2D;
    context.drawImage(element, 0, 0);
    const colourAt = (y: number) => {
      const [red = 0, , blue = 0] = context.getImageData(128, y, 1, 1).data;
      return red > blue ? 'red' : 'blue';
    };
    return `${colourAt(20)} above ${colourAt(235)}`;
  });
}

/** A JPEG of the browser's own, red at the left and blue at the right, with what a camera held on its side writes into it. */
async function photograph(page: Page): Promise<Buffer<ArrayBuffer>> {
  const bytes = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(640, 480);
    const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
    context.fillStyle = '#c02020';
    context.fillRect(0, 0, 320, 480);
    context.fillStyle = '#2020c0';
    context.fillRect(320, 0, 320, 480);
    const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.95 });
    return [...new Uint8Array(await blob.arrayBuffer())];
  });
  // One entry: orientation (0x0112), a short (3), 6: to be turned to the right by a quarter.
  const tiff = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0];
  const note = Buffer.concat([
    Buffer.from('Exif\0\0'),
    Buffer.from(tiff),
    Buffer.from('the pier, 54.3 north'),
  ]);
  const segment = Buffer.concat([Buffer.from([0xff, 0xe1, 0, note.length + 2]), note]);
  return Buffer.concat([Buffer.from(bytes.slice(0, 2)), segment, Buffer.from(bytes.slice(2))]);
}
