// Times as people say them, by the browser's own calendar.
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'long' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long' });
const full = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' });
const short = new Intl.DateTimeFormat(undefined, { day: '2-digit', month: '2-digit', year: '2-digit' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

/** Hours and minutes. */
export function timeOfDay(milliseconds: number): string {
  return clock.format(milliseconds);
}

/** Everything that is known of a time, for a tooltip. */
export function exactTime(milliseconds: number): string {
  return exact.format(milliseconds);
}

/** A date, such as that of a registration. */
export function date(milliseconds: number): string {
  return full.format(milliseconds);
}

/** How many days before the day of `now` a time was, counted in the person's own days. */
export function daysAgo(milliseconds: number, now: number): number {
  return Math.round((midnight(now) - midnight(milliseconds)) / 86_400_000);
}

/** A person's own day: from its midnight on, and not beyond the next one. */
export interface Day {
  from: number;
  to: number;
}

export function dayOf(milliseconds: number): Day {
  return { from: midnight(milliseconds), to: new Date(milliseconds).setHours(24, 0, 0, 0) };
}

/** What stands between the messages of two days. */
export function dayTitle(milliseconds: number, now: number): string {
  const days = daysAgo(milliseconds, now);
  if (days === 0 || days === 1) return capital(relative.format(-days, 'day'));
  if (days > 1 && days < 7) return weekday.format(milliseconds);
  return new Date(milliseconds).getFullYear() === new Date(now).getFullYear()
    ? day.format(milliseconds)
    : full.format(milliseconds);
}

/** When something happened, as short as a row of the list wants it. */
export function briefTime(milliseconds: number, now: number): string {
  const days = daysAgo(milliseconds, now);
  if (days <= 0) return clock.format(milliseconds);
  if (days === 1) return capital(relative.format(-1, 'day'));
  return days < 7 ? weekday.format(milliseconds) : short.format(milliseconds);
}

/** How long something has lasted. */
export function ago(milliseconds: number, now: number): string {
  const seconds = Math.round((milliseconds - now) / 1000);
  if (Math.abs(seconds) < 60) return relative.format(seconds, 'second');
  if (Math.abs(seconds) < 3600) return relative.format(Math.round(seconds / 60), 'minute');
  if (Math.abs(seconds) < 86_400) return relative.format(Math.round(seconds / 3600), 'hour');
  return relative.format(Math.round(seconds / 86_400), 'day');
}

function midnight(milliseconds: number): number {
  const start = new Date(milliseconds);
  start.setHours(0, 0, 0, 0);
  return start.getTime();
}

function capital(text: string): string {
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}
