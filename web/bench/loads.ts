// How much JavaScript a page loads: the gzip files of the scripts that it really asked for, its workers' included. The
// service worker's copy of the whole client, fetched behind the page for when there is no network, is not the page's.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { BrowserPerson } from '../e2e/story.ts';
import type { Bed } from './bed.ts';
import { atMost, type Row } from './report.ts';

export async function measure(bed: Bed): Promise<Row[]> {
  const nobody = await bed.person('nobody');
  const landing = scripts(nobody.page);
  await nobody.page.goto('/');
  await nobody.page.waitForLoadState('networkidle');
  const seenFirst = kilobytes(landing);
  await nobody.context.close();

  const [alice, bob] = [await bed.person('alice'), await bed.person('bob')];
  await alice.create();
  await bob.create();
  await alice.lock();

  // Another tab of the same browser, which has loaded nothing yet.
  const again = new BrowserPerson(alice.context, await alice.context.newPage(), alice.handle);
  await alice.page.close();
  const { page } = again;
  const loaded = scripts(page);
  await page.goto('/');
  await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
  await page.waitForLoadState('networkidle');
  const locked = kilobytes(loaded);

  await again.unlock();
  await again.live();
  await again.begin(bob.handle);
  await again.say('is this all?');
  await again.expectDelivery('is this all?', 'sent', 'delivered', 'read');
  await page.waitForLoadState('networkidle');
  const chatting = kilobytes(loaded);
  await alice.context.close();
  await bob.context.close();
  return [
    atMost('web-first-load', 'kB', Math.max(seenFirst, locked), 120),
    atMost('web-chat-load', 'kB', chatting, 220),
  ];
}

/** The paths of all scripts that a page asks for from now on. */
function scripts(page: Page): ReadonlySet<string> {
  const paths = new Set<string>();
  const take = (url: string) => {
    const { pathname } = new URL(url);
    if (pathname.endsWith('.js')) paths.add(pathname);
  };
  page.on('request', (request) => take(request.url()));
  page.on('worker', (worker) => take(worker.url()));
  return paths;
}

/** Files too small to be compressed are sent as they are. */
function kilobytes(paths: ReadonlySet<string>): number {
  const sizes = [...paths].map((path) => {
    const file = join(process.env['KEZ_WEB_DIR'] ?? 'dist', path);
    return statSync(existsSync(`${file}.gz`) ? `${file}.gz` : file).size;
  });
  return sizes.reduce((sum, size) => sum + size, 0) / 1000;
}
