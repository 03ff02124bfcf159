// Whether somebody looks at the page, as the browser says it.
import { kez } from '../state/kez.svelte.ts';

/** Tells it on; returns what ends that. */
export function followLooks(): () => void {
  const changed = () => kez.looked(document.visibilityState);
  const frozen = () => kez.looked('frozen');
  const events = { visibilitychange: changed, resume: changed, freeze: frozen };
  for (const [name, hear] of Object.entries(events)) document.addEventListener(name, hear);
  return () => {
    for (const [name, hear] of Object.entries(events)) document.removeEventListener(name, hear);
  };
}
