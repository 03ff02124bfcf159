// An account is taken out of this browser, in whichever tabs it is open.
import type { Accounts } from '../storage/accounts.ts';
import { Tabs } from './tabs.ts';
import type { News } from './unlocked.ts';

/** Every tab lets go of it (`name`: of its tabs); what one of them is just writing is written first, and deleted with the rest. */
export async function removeAccount(name: string, primary: string, rows: Accounts): Promise<void> {
  const tabs = new Tabs<News>(name, () => undefined);
  tabs.tell({ kind: 'removed' });
  await tabs.exclusively(() => rows.forget(primary)).finally(() => tabs.close());
}
