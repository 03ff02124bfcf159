// Times on the wire: RFC 3339 in UTC, whole seconds, `Z`. In the program they are whole seconds since 1970.
import { Fault } from './fault.ts';

const FORM = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;
const FIRST = -62_167_219_200; // 0000-01-01T00:00:00Z
const LAST = 253_402_300_799; // 9999-12-31T23:59:59Z

/** Reads exactly `YYYY-MM-DDTHH:MM:SSZ`, of dates that exist; `malformed` for every other text. */
export function parseTime(text: string): number {
  const milliseconds = FORM.test(text) ? Date.parse(text) : Number.NaN;
  const seconds = milliseconds / 1000;
  // JavaScript takes hour 24 and rolls 30 February over: only what reads back the same exists.
  if (Number.isNaN(seconds) || formatTime(seconds) !== text) throw new Fault('malformed');
  return seconds;
}

/** Writes a time; what lies outside the years 0000 to 9999 becomes the nearest moment inside them. */
export function formatTime(seconds: number): string {
  const inside = Math.min(Math.max(Math.trunc(seconds), FIRST), LAST);
  return `${new Date(inside * 1000).toISOString().slice(0, 19)}Z`;
}
