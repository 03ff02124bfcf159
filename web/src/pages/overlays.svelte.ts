// What lies over the pages: the switcher, the list of keys, the searches, and where a search has led.
export type Overlay = 'switch' | 'shortcuts' | 'new';

class Overlays {
  open = $state<Overlay | null>(null);
  /** Whether the open chat is being searched. */
  findsInChat = $state(false);
  /** Counts how often the search over all chats was asked for: its field then takes the focus. */
  findsEverywhere = $state(0);
  /** The message that a search has led to, until its chat has shown it. */
  target = $state<{ peer: string; id: string } | null>(null);

  show(overlay: Overlay): void {
    this.open = overlay;
  }

  close(): void {
    this.open = null;
  }

  find(inChat: boolean): void {
    if (inChat) this.findsInChat = true;
    else this.findsEverywhere++;
  }
}

export const overlays = new Overlays();
