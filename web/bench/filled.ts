// Somebody whose browser holds a long history, and a page in which nothing of it was read yet.
import { resolve } from 'node:path';
import type { Page } from '@playwright/test';
import { build } from 'vite';
import type { BrowserPerson } from '../e2e/story.ts';
import type * as Seed from './seed.ts';
import type { Bed } from './bed.ts';

/** The texts of one chat. */
export interface Filling {
  peer: string;
  texts: readonly string[];
}

declare global {
  /** What seed.ts exports, in the page that fills. */
  var kezSeed: typeof Seed;
}

export async function filledBrowser(bed: Bed, fillings: readonly Filling[]): Promise<BrowserPerson> {
  const alice = await bed.person('alice');
  await alice.create();
  await alice.live();
  const seeding = await alice.context.newPage();
  await seeding.addInitScript({ content: await seed() });
  await seeding.goto('/trust');
  for (const filling of fillings)
    await seeding.evaluate(
      ({ filling, ended }) => globalThis.kezSeed.fill(filling.peer, filling.texts, ended),
      { filling, ended: Date.now() - 60_000 },
    );
  await seeding.close();
  return alice;
}

/** Loads the page anew, as far as a person waits for it. */
export async function loadChats(page: Page): Promise<void> {
  await page.goto('/chats');
  await page.getByRole('button', { name: /^live/ }).waitFor();
  await page.waitForLoadState('networkidle');
}

/** seed.ts and the storage that it uses, as one script. */
async function seed(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'warn',
    build: {
      write: false,
      copyPublicDir: false,
      lib: { entry: resolve('bench/seed.ts'), formats: ['iife'], name: 'kezSeed' },
    },
  });
  const [bundle] = Array.isArray(built) ? built : [];
  const [script] = bundle?.output ?? [];
  if (!script) throw new Error('the script that fills a history was not built');
  // What is at the top of such a script belongs to it alone.
  return `${script.code}; globalThis.kezSeed = kezSeed;`;
}
