// From the press of Enter to "sent" in the same window, and to the words in somebody else's: the time of the key's own event
// and that of the change in the page, both on the clock of this machine.
import type { JSHandle, Page } from '@playwright/test';
import type { Bed } from './bed.ts';
import { atMost, median, type Row } from './report.ts';

const MESSAGES = 40;
const WARM_UP = 5;

interface Sample {
  toSent: number;
  toOther: number;
}

export async function measure(bed: Bed, runs: number): Promise<Row[]> {
  const [alice, bob] = [await bed.person('alice'), await bed.person('bob')];
  await alice.create();
  await bob.create();
  for (const [me, other] of [
    [alice, bob],
    [bob, alice],
  ] as const) {
    await me.live();
    await me.begin(other.handle);
  }
  const samples: Sample[][] = [];
  for (let run = 0; run < runs; run++) {
    const all: Sample[] = [];
    for (let number = 0; number < WARM_UP + MESSAGES; number++) {
      const text = `message ${number} of run ${run}, as long as people write.`;
      await alice.composer.fill(text);
      all.push(await sample(alice.page, bob.page, text));
    }
    samples.push(all.slice(WARM_UP));
  }
  await alice.context.close();
  await bob.context.close();
  const middle = (figure: (sample: Sample) => number) =>
    median(samples.map((run) => median(run.map(figure))));
  return [
    atMost(
      'web-type-to-sent',
      'ms',
      middle(({ toSent }) => toSent),
      30,
    ),
    atMost(
      'web-type-to-other',
      'ms',
      middle(({ toOther }) => toOther),
      60,
    ),
  ];
}

async function sample(mine: Page, theirs: Page, text: string): Promise<Sample> {
  const pressed = await pressing(mine);
  const sent = await showing(mine, text, ['sent', 'delivered', 'read']);
  const read = await showing(mine, text, ['read']);
  const shown = await showing(theirs, text, []);
  await mine.keyboard.press('Enter');
  const [from, toSent, toOther] = [await at(pressed), await at(sent), await at(shown)];
  // The next message begins when nothing of this one is under way any more.
  await at(read);
  return { toSent: toSent - from, toOther: toOther - from };
}

type Moment = JSHandle<{ at: Promise<number> }>;

function at(moment: Moment): Promise<number> {
  return moment.evaluate(({ at }) => at);
}

/** When Enter is pressed. */
function pressing(page: Page): Promise<Moment> {
  return page.evaluateHandle(() => ({
    at: new Promise<number>((resolve) => {
      const hear = ({ timeStamp }: KeyboardEvent) => resolve(performance.timeOrigin + timeStamp);
      addEventListener('keydown', hear, { capture: true, once: true });
    }),
  }));
}

/** When the page shows a message, and one of these deliveries with it, if there are any. */
function showing(page: Page, text: string, deliveries: readonly string[]): Promise<Moment> {
  const wanted = { text, deliveries };
  return page.evaluateHandle(({ text, deliveries }) => {
    const isShown = () => {
      const last = [...document.querySelectorAll('[role=log] .bubble')].at(-1);
      const delivery = last?.querySelector('[data-delivery]')?.getAttribute('data-delivery') ?? '';
      return last?.textContent.includes(text) && (deliveries.length === 0 || deliveries.includes(delivery));
    };
    return {
      at: new Promise<number>((resolve) => {
        const observer = new MutationObserver(() => {
          if (!isShown()) return;
          observer.disconnect();
          resolve(performance.timeOrigin + performance.now());
        });
        const everything = { subtree: true, childList: true, characterData: true, attributes: true };
        observer.observe(document.body, everything);
      }),
    };
  }, wanted);
}
