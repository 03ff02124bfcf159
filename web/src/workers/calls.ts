// How tasks are asked of a worker: each call a message with a number, each answer one with the same number.
import { OpeningKey, type Opener } from '../crypto/keys.ts';
import type { PortablePair } from '../crypto/portable.ts';
import type { Tasks } from './tasks.ts';

/** Either end of the line to a worker. */
export interface Port {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
}

export interface Call {
  number: number;
  name: keyof Tasks;
  parameters: readonly unknown[];
}

export interface Answer {
  number: number;
  value?: unknown;
  /** What went wrong, in words for whoever mends it. */
  error?: string;
}

/** What `open` is asked with: a key's methods do not travel, its pair does, and no secret in it can be read. */
export interface SentOpener {
  primary: Opener['primary'];
  pair: PortablePair;
}

/** Answers calls that come through the port. */
export function answerCalls(port: Port, tasks: Tasks): void {
  port.onmessage = async ({ data }: MessageEvent<Call>) => {
    const { number, name, parameters } = data;
    try {
      port.postMessage({ number, value: await carryOut(tasks, name, parameters) } satisfies Answer);
    } catch (error) {
      port.postMessage({ number, error: String(error) } satisfies Answer);
    }
  };
}

function carryOut(tasks: Tasks, name: keyof Tasks, parameters: readonly unknown[]): Promise<unknown> {
  if (name === 'open') {
    const [envelopes, { primary, pair }, now] = parameters as SentOpenParameters;
    return tasks.open(envelopes, new OpeningKey(primary, pair), now);
  }
  const task = tasks[name] as (...parameters: readonly unknown[]) => Promise<unknown>;
  return task(...parameters);
}

type OpenParameters = Parameters<Tasks['open']>;
export type SentOpenParameters = [OpenParameters[0], SentOpener, OpenParameters[2]];
