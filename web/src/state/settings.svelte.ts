// What a person has chosen in this browser, in whichever tab. None of it is secret.

export type Theme = 'system' | 'dark' | 'light';

export interface Choices {
  theme: Theme;
  lockAfter: number;
  staysUnlocked: boolean;
  enterSends: boolean;
  readReceipts: boolean;
}

type Stored = Partial<Record<keyof Choices, unknown>>;

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
  readonly #changed: (name: keyof Choices) => void;
  /** What could not be stored: it holds until the page is closed. */
  #unstored: Partial<Choices> = {};

  /** `changed` is told of each choice that is another one now, whoever has made it. */
  constructor(
    store: Pick<Storage, 'getItem' | 'setItem'> | undefined = globalThis.localStorage,
    changed: (name: keyof Choices) => void = () => undefined,
  ) {
    this.#store = store;
    this.#changed = changed;
    this.#take(this.#stored());
  }

  /** Changes one choice, and leaves the others as they are stored: another tab may have made them. */
  set<Name extends keyof Choices>(name: Name, value: Choices[Name]): void {
    this.#unstored = { ...this.#unstored, [name]: value };
    try {
      this.#store?.setItem(NAME, JSON.stringify({ ...this.#stored(), ...this.#unstored }));
      if (this.#store) this.#unstored = {};
    } catch {
      // A full or forbidden store.
    }
    this.read();
  }

  /** Another tab has stored something of this name; of none, where it has cleared everything. */
  heard(name: string | null): void {
    if (name === NAME || name === null) this.read();
  }

  /** What is stored now holds here, too. */
  read(): void {
    const before = this.#choices();
    this.#take({ ...this.#stored(), ...this.#unstored });
    const now = this.#choices();
    for (const name of Object.keys(now) as (keyof Choices)[])
      if (now[name] !== before[name]) this.#changed(name);
  }

  #choices(): Choices {
    const { theme, lockAfter, staysUnlocked, enterSends, readReceipts } = this;
    return { theme, lockAfter, staysUnlocked, enterSends, readReceipts };
  }

  #stored(): Stored {
    return tryParse(this.#store?.getItem(NAME) ?? '{}');
  }

  /** What another version of the page has written may be of any form. */
  #take({ theme, lockAfter, staysUnlocked, enterSends, readReceipts }: Stored): void {
    if (theme === 'system' || theme === 'dark' || theme === 'light') this.theme = theme;
    if (typeof lockAfter === 'number' && lockAfter >= 0) this.lockAfter = lockAfter;
    if (typeof staysUnlocked === 'boolean') this.staysUnlocked = staysUnlocked;
    if (typeof enterSends === 'boolean') this.enterSends = enterSends;
    if (typeof readReceipts === 'boolean') this.readReceipts = readReceipts;
  }
}

function tryParse(text: string): Stored {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
