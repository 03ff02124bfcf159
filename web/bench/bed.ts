// What the web rows are measured on: a mesh of its own, the distribution's Chromium, and people with a browser each.
import { existsSync } from 'node:fs';
import { chromium, type Browser } from '@playwright/test';
import { Mesh, missingMesh } from '../e2e/mesh.ts';
import { BrowserPerson } from '../e2e/story.ts';

const usual = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export class Bed {
  readonly mesh: Mesh;
  readonly #browser: Browser;
  #people = 0;

  private constructor(mesh: Mesh, browser: Browser) {
    this.mesh = mesh;
    this.#browser = browser;
  }

  static async make(): Promise<Bed> {
    const missing = missingMesh();
    if (missing) throw new Error(missing);
    const executablePath = process.env['KEZ_CHROMIUM'] ?? usual.find((path) => existsSync(path));
    if (!executablePath) throw new Error('no Chromium; apt-get install chromium, or set KEZ_CHROMIUM');
    // Chromium's own sandbox refuses to run as root, as in a container.
    const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    const browser = await chromium.launch({ executablePath, args });
    return new Bed(await Mesh.start(), browser);
  }

  /** A browser with nothing in it, on a screen of usual size. */
  async person(name: string): Promise<BrowserPerson> {
    const context = await this.#browser.newContext({
      baseURL: this.mesh.origin,
      viewport: { width: 1280, height: 800 },
      locale: 'en-GB',
      timezoneId: 'Europe/Berlin',
    });
    return new BrowserPerson(context, await context.newPage(), `${name}-${this.#people++}`);
  }

  async remove(): Promise<void> {
    await this.#browser.close();
    await this.mesh.stop();
  }
}
