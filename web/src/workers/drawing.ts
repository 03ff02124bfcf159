// The page's end of the worker that draws pictures: one for each picture, ended with it, so that a file that breaks the decoder
// breaks nothing else.
import { Refusal } from '../nats/refusal.ts';
import type { Draw, Drawn } from '../state/profile.svelte.ts';
import { startWorker } from '../trusted-urls.ts';
import type { DrawingAnswer, DrawingCall } from './drawing.worker.ts';
import address from './drawing.worker.ts?worker&url';

/** The largest file that is looked at, in bytes, and how long drawing may take, in milliseconds. */
const LARGEST_FILE = 32 * 1024 * 1024;
const PATIENCE = 30_000;

export const draw: Draw = async (file, key, salt) => {
  if (file.size > LARGEST_FILE) throw new Refusal('picture_too_large');
  const worker = startWorker(address);
  try {
    return await new Promise<Drawn>((resolve, reject) => {
      const fail = () => reject(new Refusal('not_a_picture'));
      worker.onmessage = ({ data }: MessageEvent<DrawingAnswer>) => {
        if ('drawn' in data) resolve(data.drawn);
        else reject(new Refusal(data.code));
      };
      worker.onerror = fail;
      worker.postMessage({ file, key, salt } satisfies DrawingCall);
      setTimeout(fail, PATIENCE);
    });
  } finally {
    worker.terminate();
  }
};
