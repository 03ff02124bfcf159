// What happens while something is read from storage is taken in after it: what was read may be older.

export class Meanwhile<News> {
  #readers = 0;
  #waiting: News[] = [];

  /** Reads, and then hears what has come meanwhile. */
  async read(work: () => Promise<void>, hear: (news: News) => void): Promise<void> {
    this.#readers++;
    try {
      await work();
    } finally {
      this.#readers--;
      if (this.#readers === 0) {
        const waiting = this.#waiting;
        this.#waiting = [];
        for (const news of waiting) hear(news);
      }
    }
  }

  /** Whether news must wait for its turn; then it is kept here. */
  keeps(news: News): boolean {
    if (this.#readers > 0) this.#waiting.push(news);
    return this.#readers > 0;
  }
}
