// `npm run bench`: measures the client that lies in dist/, in a real browser on a real mesh, and prints one table as kez-bench does.
// Browsers, mesh and broker share the machine with whatever else runs on it.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Bed } from './bed.ts';
import { append, line, table, type Row } from './report.ts';

interface Group {
  rows: readonly string[];
  measure: (bed: Bed, runs: number) => Promise<Row[]>;
}

const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '3' }, json: { type: 'string' }, list: { type: 'boolean' } },
});

// The mesh reads these where it is defined, so that comes after them: a release binary counts, where there is one.
const release = resolve('..', process.env['CARGO_TARGET_DIR'] ?? 'target', 'release/kez');
process.env['KEZ_BINARY'] ??= existsSync(release) ? release : resolve('../target/debug/kez');
process.env['KEZ_WEB_DIR'] ??= resolve('dist');
const [{ Bed: Beds }, loads, typing, history, search] = await Promise.all([
  import('./bed.ts'),
  import('./loads.ts'),
  import('./typing.ts'),
  import('./history.ts'),
  import('./search.ts'),
]);

const GROUPS: readonly Group[] = [
  { rows: ['web-first-load', 'web-chat-load'], measure: loads.measure },
  { rows: ['web-type-to-sent', 'web-type-to-other'], measure: typing.measure },
  { rows: ['web-open-10000', 'web-scroll-longest-task'], measure: history.measure },
  { rows: ['web-search-50000'], measure: search.measure },
];

if (values.list) console.log(GROUPS.flatMap(({ rows }) => rows).join('\n'));
else await bench();

async function bench(): Promise<void> {
  const isWanted = (row: string) =>
    wanted.length === 0 || wanted.some((beginning) => row.startsWith(beginning));
  const groups = GROUPS.filter(({ rows }) => rows.some(isWanted));
  if (groups.length === 0) throw new Error('no such row; see --list');
  const bed = await Beds.make();
  const report: Row[] = [];
  try {
    for (const { rows, measure } of groups) {
      console.error(`measuring ${rows.join(', ')} …`);
      for (const row of await measure(bed, Number(values.runs))) {
        console.error(`  ${line(row)}`);
        report.push(row);
      }
    }
  } finally {
    await bed.remove();
  }
  console.log(table(report));
  if (values.json) append(values.json, report);
}
