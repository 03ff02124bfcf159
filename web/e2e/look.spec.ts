// temporary
import { expect, test } from './story.ts';
import { squarePng } from '../src/crypto/png.ts';
function face(r: number, g: number, b: number) {
  const s = 140;
  const px = new Uint8Array(s * s * 3);
  for (let y = 0; y < s; y++)
    for (let x = 0; x < s; x++) {
      const d = Math.hypot(x - 70, y - 60),
        e = Math.hypot((x - 70) / 1.4, y - 150);
      let c = [r, g, b];
      if (e < 46) c = [40, 60, 110];
      if (d < 34) c = [236, 196, 160];
      if (Math.hypot(x - 58, y - 55) < 4 || Math.hypot(x - 82, y - 55) < 4) c = [30, 30, 40];
      if (Math.abs(Math.hypot(x - 70, y - 62) - 16) < 2 && y > 66) c = [150, 60, 60];
      if (d < 36 && y < 44) c = [90, 50, 30];
      px.set(c, (y * s + x) * 3);
    }
  return { name: 'f.png', mimeType: 'image/png', buffer: Buffer.from(squarePng(px, s)) };
}
test('look', async ({ person, mesh }) => {
  test.setTimeout(200000);
  const alice = Object.assign(await person('alice', { colorScheme: 'dark' }), { handle: 'alice' });
  const bob = Object.assign(await person('bob'), { handle: 'bob' });
  const carol = await mesh.person('carol');
  await alice.create();
  await bob.create();
  const put = async (p: any, f: any) => {
    await p.page.getByRole('link', { name: 'Identity' }).first().click();
    await p.page.locator('input[type=file]').setInputFiles(f);
    await expect(p.page.locator('main button img').first()).toHaveAttribute('src', /^blob:/);
  };
  await put(bob, face(200, 170, 90));
  await put(alice, face(90, 150, 130));
  await carol.kez('send', 'alice', 'The harbour master says Friday is fine.');
  await alice.begin('bob');
  await alice.say('Did you see the sunrise?');
  await bob.begin('alice');
  await bob.say('I did! From the pier.');
  await expect(alice.bubble('From the pier')).toBeVisible();
  await expect(alice.page.getByRole('button', { name: /^About/ }).locator('img')).toHaveAttribute(
    'src',
    /^blob:/,
  );
  const page = alice.page;
  const chat = page.url();
  const shot = async (n: string) => {
    for (const scheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme: scheme });
      for (const [w, h] of [
        [1280, 800],
        [390, 844],
        [320, 640],
      ] as const) {
        await page.setViewportSize({ width: w, height: h });
        await page.waitForTimeout(150);
        await page.screenshot({ path: `/tmp/w2shots/${n}-${scheme}-${w}.png` });
      }
    }
    await page.setViewportSize({ width: 1280, height: 800 });
  };
  await shot('chat');
  await page.getByRole('button', { name: /^About/ }).click();
  await shot('about');
  await page.getByRole('button', { name: 'Show the picture large' }).click();
  await shot('zoom');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+k');
  await shot('switch');
  await page.keyboard.press('Escape');
  await alice.chats();
  await page.getByRole('link', { name: 'Identity' }).first().click();
  await shot('identity');
  await page.getByRole('link', { name: 'Settings' }).first().click();
  await page.locator('[data-face=strangers]').scrollIntoViewIfNeeded();
  await shot('settings');
  void chat;
});
