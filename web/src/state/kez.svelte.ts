// The state of this page: what pages import.
import { SearchWorker } from '../workers/search.ts';
import { Work } from '../workers/work.ts';
import { Kez } from './composition.ts';
import { localStore } from './local-store.ts';

export { Kez } from './composition.ts';

export const kez = new Kez({
  origin: location.origin,
  work: new Work(),
  searcher: (progress) => new SearchWorker(progress),
  // Seldom needed, so loaded late.
  draw: async (...given) => (await import('../workers/drawing.ts')).draw(...given),
  store: localStore(),
  userAgent: navigator.userAgent,
});
