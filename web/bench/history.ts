// A history of 10,000 messages: from the click on the chat to its last messages on the screen, and the longest task while
// somebody turns the wheel up to the first message and down again.
import type { Page } from '@playwright/test';
import type { Bed } from './bed.ts';
import { filledBrowser, loadChats } from './filled.ts';
import { atMost, median, type Row } from './report.ts';
import { Writer } from './words.ts';

const MESSAGES = 10_000;
/** One turn of the wheel, in pixels. */
const TURN = 1_200;
/** Five turns so often reach any end many times over. */
const MOST_TURNS = 1_000;

export async function measure(bed: Bed, runs: number): Promise<Row[]> {
  const bob = await bed.mesh.person('bob-of-old');
  const texts = new Writer(1).texts(MESSAGES);
  const ends = { first: texts[0] ?? '', last: texts.at(-1) ?? '' };
  const alice = await filledBrowser(bed, [{ peer: bob.primary, texts }]);
  const [opened, longest]: [number[], number[]] = [[], []];
  for (let run = 0; run < runs; run++) {
    await loadChats(alice.page);
    opened.push(await open(alice.page, ends.last));
    longest.push(await scroll(alice.page, ends));
  }
  await alice.context.close();
  return [
    atMost('web-open-10000', 'ms', median(opened), 500),
    atMost('web-scroll-longest-task', 'ms', median(longest), 50),
  ];
}

/** Until what was drawn is on the screen. */
async function open(page: Page, last: string): Promise<number> {
  const opening = await page.evaluateHandle((last) => {
    const done = new Promise<number>((resolve) => {
      let began = Infinity;
      addEventListener('click', ({ timeStamp }) => (began = timeStamp), { capture: true, once: true });
      const observer = new MutationObserver(() => {
        if (!document.querySelector('[role=log]')?.textContent.includes(last)) return;
        observer.disconnect();
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - began)));
      });
      observer.observe(document.body, { subtree: true, childList: true, characterData: true });
    });
    return { done };
  }, last);
  await page.locator('a[href^="/chats/"]').first().click();
  return opening.evaluate(({ done }) => done);
}

/** Browsers tell of tasks over 50 ms only: 0 when there was none. */
async function scroll(page: Page, ends: { first: string; last: string }): Promise<number> {
  const log = page.getByRole('log');
  const watching = await page.evaluateHandle(() => {
    const tasks: number[] = [];
    const observer = new PerformanceObserver((list) =>
      tasks.push(...list.getEntries().map(({ duration }) => duration)),
    );
    observer.observe({ type: 'longtask' });
    return { tasks, observer };
  });
  await log.hover();
  for (const [by, end] of [
    [-TURN, ends.first],
    [TURN, ends.last],
  ] as const) {
    const isThere = () =>
      log.evaluate((log, end) => {
        const isAtEdge = log.scrollTop === 0 || log.scrollTop + log.clientHeight >= log.scrollHeight - 1;
        return isAtEdge && log.textContent.includes(end);
      }, end);
    for (let turns = 0; !(await isThere()); turns++) {
      if (turns === MOST_TURNS) throw new Error('turning the wheel does not lead to the end of the history');
      for (let turn = 0; turn < 5; turn++) await page.mouse.wheel(0, by);
    }
  }
  return watching.evaluate(({ tasks, observer }) => {
    const rest = observer.takeRecords().map(({ duration }) => duration);
    observer.disconnect();
    return Math.max(0, ...tasks, ...rest);
  });
}
