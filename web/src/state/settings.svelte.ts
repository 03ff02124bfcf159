// What a person has chosen in this browser. None of it is secret.

export type Theme = 'system' | 'dark' | 'light';

interface Choices {
  theme: Theme;
  lockAfter: number;
  staysUnlocked: boolean;
  enterSends: boolean;
  readReceipts: boolean;
}

const NAME = 'kez.settings';

export class Settings implements Choices {
  theme = $state<Theme>('system');
  /** Minutes without a touch until the app locks; 0: never. */
  lockAfter = $state(0);
  /** Whether a reload of the page keeps the account unlocked (for 30 days after the last use). */
  staysUnlocked = $state(true);
  /** Whether Enter sends (Shift+Enter breaks the line), or the other way round. */
  enterSends = $state(true);
  /** Whether others are told that I have read. */
  readReceipts = $state(true);

  readonly #store: Pick<Storage, 'getItem' | 'setItem'> | undefined;

  constructor(store: Pick<Storage, 'getItem' | 'setItem'> | undefined = globalThis.localStorage) {
    this.#store = store;
    this.#read();
  }

  set<Name extends keyof Choices>(name: Name, value: Choices[Name]): void {
    (this as Choices)[name] = value;
    const { theme, lockAfter, staysUnlocked, enterSends, readReceipts } = this;
    const choices: Choices = { theme, lockAfter, staysUnlocked, enterSends, readReceipts };
    try {
      this.#store?.setItem(NAME, JSON.stringify(choices));
    } catch {
      // A full or forbidden store: the choice holds until the page is closed.
    }
  }

  /** What another version of the page has written may be of any form. */
  #read(): void {
    const choices = tryParse(this.#store?.getItem(NAME) ?? '{}');
    const { theme, lockAfter, staysUnlocked, enterSends, readReceipts } = choices;
    if (theme === 'system' || theme === 'dark' || theme === 'light') this.theme = theme;
    if (typeof lockAfter === 'number' && lockAfter >= 0) this.lockAfter = lockAfter;
    if (typeof staysUnlocked === 'boolean') this.staysUnlocked = staysUnlocked;
    if (typeof enterSends === 'boolean') this.enterSends = enterSends;
    if (typeof readReceipts === 'boolean') this.readReceipts = readReceipts;
  }
}

function tryParse(text: string): Partial<Record<keyof Choices, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
