// Which rows of a long list are built: those in view and some around them, by heights that are measured as they appear.

/** Below this number every row is built: the browser then finds in the page, and selects, whatever it likes. */
export const ALL_BUILT = 300;
/** How far beyond the view rows are built, in pixels. */
const MARGIN = 900;

/** The heights that rows were seen to have. */
export class Heights {
  readonly #known = new Map<string, number>();

  get(key: string): number | undefined {
    return this.#known.get(key);
  }

  /** Whether that is news. */
  learn(key: string, height: number): boolean {
    const isNews = height > 0 && this.#known.get(key) !== height;
    if (isNews) this.#known.set(key, height);
    return isNews;
  }
}

/** The rows by name; made anew only when rows come or go, not with every height that is learnt. */
export class RowKeys {
  readonly all: readonly string[];
  readonly #index: ReadonlyMap<string, number>;

  constructor(keys: readonly string[]) {
    this.all = keys;
    this.#index = new Map(keys.map((key, index) => [key, index]));
  }

  /** The same object when the rows are the same: only then nothing has to be placed anew. */
  static of(keys: readonly string[], before: RowKeys | undefined): RowKeys {
    const isSame = before?.all.length === keys.length && keys.every((key, at) => key === before.all[at]);
    return isSame ? before : new RowKeys(keys);
  }

  indexOf(key: string): number | undefined {
    return this.#index.get(key);
  }
}

export class VisibleRows {
  /** Where each row begins; one more than there are rows, for the end of the last. */
  readonly offsets: Float64Array;
  readonly #keys: RowKeys;

  constructor(keys: RowKeys, heights: Heights, estimate: number) {
    this.#keys = keys;
    this.offsets = new Float64Array(keys.all.length + 1);
    let place = 0;
    keys.all.forEach((key, index) => {
      place += heights.get(key) ?? estimate;
      this.offsets[index + 1] = place;
    });
  }

  get count(): number {
    return this.offsets.length - 1;
  }

  get height(): number {
    return this.start(this.count);
  }

  /** Where a row begins. */
  start(index: number): number {
    return this.offsets[index] ?? 0;
  }

  indexOf(key: string): number | undefined {
    return this.#keys.indexOf(key);
  }

  /** The row at a place, counted from the top of the first. */
  at(place: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.start(middle + 1) > place) high = middle;
      else low = middle + 1;
    }
    return Math.min(low, Math.max(0, this.count - 1));
  }

  /** The rows to build, `from` included and `to` not, for a view of `height` pixels at `top`. */
  range(top: number, height: number): { from: number; to: number } {
    if (this.count <= ALL_BUILT) return { from: 0, to: this.count };
    return { from: this.at(top - MARGIN), to: Math.min(this.count, this.at(top + height + MARGIN) + 1) };
  }
}
