// Whether a page is fit for everybody: nothing that axe finds, nothing too wide for the smallest phone.
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect } from './story.ts';

const PHONE = { width: 320, height: 640 };

export async function check(page: Page, where: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`,
  );
  expect(found, `axe at ${where}`).toEqual([]);
  const size = page.viewportSize();
  await page.setViewportSize(PHONE);
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(width, `how wide ${where} is on the smallest phone`).toBeLessThanOrEqual(PHONE.width);
  if (size) await page.setViewportSize(size);
}
