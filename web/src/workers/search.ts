// The page's end of the worker that searches.
import type { Found } from '../storage/search-index.ts';
import { startWorker } from '../trusted-urls.ts';
import type { SearchCall } from './search.worker.ts';
import address from './search.worker.ts?worker&url';

type Answer =
  { number: number; value?: unknown; error?: string } | { progress: { done: number; of: number } };

export class SearchWorker {
  readonly #worker = startWorker(address);
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #number = 0;

  constructor(progress: (progress: { done: number; of: number }) => void) {
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      if ('progress' in data) return progress(data.progress);
      const waiting = this.#waiting.get(data.number);
      this.#waiting.delete(data.number);
      if (data.error === undefined) waiting?.resolve(data.value);
      else waiting?.reject(new Error(data.error));
    };
  }

  ask(call: SearchCall): Promise<unknown> {
    const number = ++this.#number;
    const answer = new Promise((resolve, reject) => this.#waiting.set(number, { resolve, reject }));
    this.#worker.postMessage({ number, ...call });
    return answer;
  }

  async find(query: string, peer: string | undefined, limit: number): Promise<Found[]> {
    return (await this.ask({ call: 'find', query, peer, limit })) as Found[];
  }

  stop(): void {
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(new Error('the search was stopped'));
    this.#waiting.clear();
  }
}
