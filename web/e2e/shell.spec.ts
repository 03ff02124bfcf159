// The page that the service worker keeps: what the server says with it reaches browsers that never ask for it again.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { freePorts, Mesh } from './mesh.ts';
import { expect, originOf, test } from './story.ts';

const ELSEWHERE = 'wss://elsewhere.example';

/** A mesh whose pages may connect to another place, once it is started again. */
class MovingMesh extends Mesh {
  #hasMoved = false;

  static async begin(): Promise<MovingMesh> {
    const mesh = new MovingMesh(await mkdtemp(join(tmpdir(), 'kez-mesh-')), await freePorts(3));
    await mesh.up();
    return mesh;
  }

  async move(): Promise<void> {
    this.#hasMoved = true;
    await this.down();
    await this.up();
  }

  protected override environment(more: Record<string, string>): NodeJS.ProcessEnv {
    return super.environment({ ...more, ...(this.#hasMoved ? { KEZ_NATS_PUBLIC_URLS: ELSEWHERE } : {}) });
  }
}

test('a policy of the server that is another today reaches a browser that keeps the page', async ({
  browser,
}) => {
  const mesh = await MovingMesh.begin();
  const context = await browser.newContext({ baseURL: originOf(mesh) });
  try {
    const page = await context.newPage();
    await page.goto('/');
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await expect.poll(async () => (await opened(page)).isKept).toBe(true);
    expect((await opened(page)).policy).not.toContain(ELSEWHERE);
    await mesh.move();
    await expect.poll(async () => (await opened(page)).policy).toContain(ELSEWHERE);
    // It is still the page that is kept: nobody need be asked for it.
    await mesh.down();
    expect(await opened(page)).toMatchObject({ isKept: true, policy: expect.stringContaining(ELSEWHERE) });
    await expect(page.getByRole('link', { name: 'Create an identity' })).toBeVisible();
  } finally {
    await context.close();
    await mesh.stop();
  }
});

/** The policy that a page is opened with, and whether the service worker had the page. */
async function opened(page: Page): Promise<{ isKept: boolean; policy: string }> {
  const answer = await page.goto('/');
  return {
    isKept: answer?.fromServiceWorker() ?? false,
    policy: answer?.headers()['content-security-policy'] ?? '',
  };
}
