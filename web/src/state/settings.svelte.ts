// What a person has chosen in this browser. None of it is secret.
import { notYet } from './not-yet.ts';

export type Theme = 'system' | 'dark' | 'light';

export class Settings {
  theme = $state<Theme>('system');
  /** Minutes without a touch until the app locks; 0: never. */
  lockAfter = $state(0);
  /** Whether a reload of the page keeps the account unlocked (for 30 days after the last use). */
  staysUnlocked = $state(true);
  /** Whether Enter sends (Shift+Enter breaks the line), or the other way round. */
  enterSends = $state(true);
  /** Whether others are told that I have read. */
  readReceipts = $state(true);

  set<Name extends 'theme' | 'lockAfter' | 'staysUnlocked' | 'enterSends' | 'readReceipts'>(
    name: Name,
    value: Settings[Name],
  ): void {
    notYet(name, value);
  }
}
