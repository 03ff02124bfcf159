// The table of the web rows, in the form that tests/bench/report.rs has: nothing raw stands beside them.
import { appendFileSync } from 'node:fs';

export interface Row {
  name: string;
  unit: 'kB' | 'ms';
  ours: number;
  raw: null;
  ratio: null;
  goal: string;
  met: boolean;
}

/** A figure that should be at most so much. */
export function atMost(name: string, unit: Row['unit'], ours: number, most: number): Row {
  return { name, unit, ours, raw: null, ratio: null, goal: `≤ ${most} ${unit}`, met: ours <= most };
}

export function line({ name, unit, ours, goal, met }: Row): string {
  return columns(name, short(ours), unit, '–', '–', goal, met ? 'met' : 'MISSED');
}

export function table(rows: readonly Row[]): string {
  return [columns('row', 'ours', '', 'raw', 'ratio', 'goal', ''), ...rows.map(line)].join('\n');
}

/** One JSON object a line, after those of other benchmarks. */
export function append(file: string, rows: readonly Row[]): void {
  appendFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

/** The middle one. */
export function median(figures: readonly number[]): number {
  return percentile(figures, 50);
}

/** The figure below which so many per cent lie. */
export function percentile(figures: readonly number[], perCent: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const figure = sorted[Math.min(Math.floor((sorted.length * perCent) / 100), sorted.length - 1)];
  if (figure === undefined) throw new Error('nothing was measured');
  return figure;
}

function columns(
  name: string,
  ours: string,
  unit: string,
  raw: string,
  ratio: string,
  goal: string,
  met: string,
) {
  const figures = `${ours.padStart(9)} ${unit.padEnd(4)} ${raw.padStart(9)} ${ratio.padStart(7)}`;
  return `${name.padEnd(24)} ${figures}  ${goal.padEnd(28)} ${met}`;
}

function short(figure: number): string {
  return figure.toFixed(figure >= 100 ? 0 : figure >= 10 ? 1 : 2);
}
