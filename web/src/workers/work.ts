// What takes long, away from the page: the worker is started by the first call and ended by `stop`.
import type { Json } from '../crypto/json.ts';
import type { Opener } from '../crypto/keys.ts';
import { startWorker } from '../trusted-urls.ts';
import type { Answer, Call, Port, SentOpenParameters } from './calls.ts';
import type { Tasks } from './tasks.ts';
import address from './work.worker.ts?worker&url';

/** A line to a worker that can be ended, and that tells when the worker broke. */
export interface Line extends Port {
  terminate(): void;
  onerror?: unknown;
}

const STOPPED = 'the worker was stopped';

interface Waiting {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

export class Work implements Tasks {
  readonly #start: () => Line;
  #line: Line | undefined;
  #number = 0;
  #stops = 0;
  readonly #waiting = new Map<number, Waiting>();

  constructor(start: () => Line = () => startWorker(address)) {
    this.#start = start;
  }

  newDerivation: Tasks['newDerivation'] = () => this.#call('newDerivation');

  derive: Tasks['derive'] = (...parameters) => this.#call('derive', ...parameters);

  extend: Tasks['extend'] = (...parameters) => this.#call('extend', ...parameters);

  async open(envelopes: readonly Json[], opener: Opener, now: number): ReturnType<Tasks['open']> {
    const { primary } = opener;
    const stops = this.#stops;
    const sent = { primary, pair: await opener.portablePair() };
    // Locked meanwhile: no other worker is started and handed what opens the mail.
    if (this.#stops !== stops) throw new Error(STOPPED);
    const parameters: SentOpenParameters = [envelopes, sent, now];
    return this.#call('open', ...parameters);
  }

  /** Ends the worker, and with it all that it has in memory; calls under way fail. */
  stop(): void {
    this.#line?.terminate();
    this.#line = undefined;
    this.#stops++;
    this.#fail(STOPPED);
  }

  #call<Name extends keyof Tasks>(name: Name, ...parameters: unknown[]): ReturnType<Tasks[Name]> {
    const number = ++this.#number;
    const answer = new Promise((resolve, reject) => this.#waiting.set(number, { resolve, reject }));
    (this.#line ??= this.#begin()).postMessage({ number, name, parameters } satisfies Call);
    return answer as ReturnType<Tasks[Name]>;
  }

  #begin(): Line {
    const line = this.#start();
    line.onmessage = ({ data }: MessageEvent<Answer>) => {
      const waiting = this.#waiting.get(data.number);
      this.#waiting.delete(data.number);
      if (data.error === undefined) waiting?.resolve(data.value);
      else waiting?.reject(new Error(data.error));
    };
    line.onerror = () => {
      // Its script did not load, or it ran out of memory: the next call starts another one.
      if (this.#line === line) this.#line = undefined;
      this.#fail('the worker broke');
    };
    return line;
  }

  #fail(why: string): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(why));
    this.#waiting.clear();
  }
}
