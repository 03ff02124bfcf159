// Searching 50,000 messages in 21 chats: from what is typed to what was found, drawn in the page.
import type { Page } from '@playwright/test';
import type { Bed } from './bed.ts';
import { filledBrowser, loadChats } from './filled.ts';
import { atMost, median, percentile, type Row } from './report.ts';
import { Writer } from './words.ts';

const QUERIES = 100;
/** Reading and indexing so many messages for the first time is not what is measured; it may take so long, in milliseconds. */
const INDEXING = 600_000;

export async function measure(bed: Bed, runs: number): Promise<Row[]> {
  const writer = new Writer(2);
  const peers = Array.from({ length: 21 }, (_, number) => `ed25519:${(number + 16).toString(16).repeat(32)}`);
  const fillings = peers.map((peer, at) => ({ peer, texts: writer.texts(at === 0 ? 10_000 : 2_000) }));
  const texts = fillings.flatMap(({ texts }) => texts);
  const alice = await filledBrowser(bed, fillings);
  const { page } = alice;
  await loadChats(page);
  const common = texts[0]?.split(' ')[0] ?? '';
  await page.getByRole('searchbox').fill(common);
  await page.getByText(/^\d+ messages?$/).waitFor({ timeout: INDEXING });
  const slow: number[] = [];
  for (let run = 0; run < runs; run++) {
    const figures: number[] = [];
    for (const query of queries(texts, run)) figures.push(await search(page, query));
    slow.push(percentile(figures, 95));
  }
  await alice.context.close();
  return [atMost('web-search-50000', 'ms', median(slow), 100)];
}

/** What people search for: a word, a part of one, two words that stand together; none twice, and other ones in each run. */
function queries(texts: readonly string[], run: number): string[] {
  const all = new Set<string>();
  for (let at = 1 + run * 97; all.size < QUERIES; at += 331) {
    const words = (texts[at % texts.length] ?? '').split(' ');
    const [first = '', second = ''] = words;
    const kinds = [first, first.slice(0, 3), `${first} ${second}`, words.at(-1) ?? ''];
    all.add(kinds[all.size % kinds.length] ?? first);
  }
  return [...all];
}

async function search(page: Page, query: string): Promise<number> {
  const field = page.getByRole('searchbox');
  const searching = await field.evaluateHandle((field) => {
    const done = new Promise<number>((resolve) => {
      let began = Infinity;
      field.addEventListener('input', ({ timeStamp }) => (began = timeStamp), { once: true });
      const observer = new MutationObserver((changes) => {
        const isResult = (node: Node) => node instanceof Element && node.matches('p[role=status]');
        if (began === Infinity || !changes.some(({ addedNodes }) => [...addedNodes].some(isResult))) return;
        observer.disconnect();
        resolve(performance.now() - began);
      });
      observer.observe(document.body, { subtree: true, childList: true });
    });
    return { done };
  });
  await field.fill(query);
  return searching.evaluate(({ done }) => done);
}
