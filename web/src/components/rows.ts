// What a chat shows, line by line: messages grouped by who wrote them, days between them, and where reading stopped.
import { dayOf, type Day } from './times.ts';

/** How far a message of one's own has come. */
export type Delivery = 'sending' | 'sent' | 'delivered' | 'read' | 'failed';

/** A message as a bubble shows it. */
export interface ShownMessage {
  readonly id: string;
  readonly isMine: boolean;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Null for a kind that this version does not know. */
  readonly text: string | null;
  /** Only of one's own. */
  readonly status: Delivery | null;
  /** Why it failed: a code. */
  readonly failure?: string;
}

interface DayRow {
  readonly kind: 'day';
  readonly key: string;
  readonly at: number;
}

interface MessageRow {
  readonly kind: 'message';
  readonly key: string;
  readonly message: ShownMessage;
  readonly first: boolean;
  readonly last: boolean;
}

export type Row = DayRow | MessageRow | typeof UNREAD;

const UNREAD = { kind: 'unread', key: 'unread' } as const;

/** The rows of messages as they were made last: a row that is the same object is not drawn again. */
const dayRows = new WeakMap<ShownMessage, DayRow>();
const messageRows = new WeakMap<ShownMessage, MessageRow>();

/** Messages of one person within this time stand together. */
const TOGETHER = 5 * 60_000;

/** The rows of a chat, oldest first; the divider stands before the message `firstUnread`. */
export function rows(messages: readonly ShownMessage[], firstUnread: string | null): Row[] {
  const all: Row[] = [];
  const days = daysOf(messages);
  messages.forEach((message, index) => {
    const before = messages[index - 1];
    const after = messages[index + 1];
    const newDay = days[index] !== days[index - 1];
    const divided = message.id === firstUnread;
    if (newDay) all.push(dayRow(message));
    if (divided) all.push(UNREAD);
    const first = newDay || divided || !together(before, message);
    const endsDay = days[index] !== days[index + 1];
    const last = !after || after.id === firstUnread || endsDay || !together(message, after);
    all.push(messageRow(message, first, last));
  });
  return all;
}

function dayRow(message: ShownMessage): DayRow {
  const row = dayRows.get(message) ?? { kind: 'day', key: `day ${message.id}`, at: message.at };
  dayRows.set(message, row);
  return row;
}

function messageRow(message: ShownMessage, first: boolean, last: boolean): MessageRow {
  const known = messageRows.get(message);
  if (known?.first === first && known.last === last) return known;
  const row = { kind: 'message', key: message.id, message, first, last } as const;
  messageRows.set(message, row);
  return row;
}

/** The day of each message; the calendar is asked only where one ends, for it is slow and histories are long. */
function daysOf(messages: readonly ShownMessage[]): number[] {
  let day: Day = { from: 0, to: 0 };
  return messages.map(({ at }) => {
    if (at < day.from || at >= day.to) day = dayOf(at);
    return day.from;
  });
}

function together(a: ShownMessage | undefined, b: ShownMessage): boolean {
  return a !== undefined && a.isMine === b.isMine && Math.abs(b.at - a.at) < TOGETHER;
}
