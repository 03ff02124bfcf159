// How the client is tested in a real browser: the distribution's Chromium, one page at a time, nothing tried twice.
import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';

const usual = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const chromium = process.env['KEZ_CHROMIUM'] ?? usual.find((path) => existsSync(path));
// Chromium's own sandbox refuses to run as root, as in a container.
const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];

export default defineConfig({
  testDir: 'e2e',
  testMatch: '*.spec.ts',
  workers: 1,
  timeout: 90_000,
  expect: { timeout: 15_000 },
  reporter: 'line',
  use: {
    launchOptions: { ...(chromium ? { executablePath: chromium } : {}), args },
    actionTimeout: 15_000,
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    trace: 'retain-on-failure',
  },
});
