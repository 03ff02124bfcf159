// The time as pages show it, anew every half minute.
class Now {
  value = $state(Date.now());

  constructor() {
    setInterval(() => (this.value = Date.now()), 30_000);
  }
}

export const now = new Now();
