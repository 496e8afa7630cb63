import { evaluate, type Dim } from './dim.js';

/** A size that was seen when the model ran on so many rows, and how much it grew with each row more. */
export interface Seen {
  rows: number;
  size: number;
  perRow: number;
}

/** Sizes to plan with: what each named size is taken for when so many rows are worked on at once. */
export class PlanSizes {
  private readonly evaluated = new Map<number, Map<string, number>>();

  /**
   * @param sizes of the open dimensions of the inputs, by name
   * @param rowsDimension the one that counts rows, if there is one
   * @param rowsOfOne its size where one row is planned for: more than 1 where rows depend on each other
   *   and a request is worked on as a whole
   * @param seen sizes that depend on data, by name
   */
  constructor(
    private readonly sizes: Readonly<Record<string, number>>,
    private readonly rowsDimension?: string,
    private readonly rowsOfOne = 1,
    private readonly seen: ReadonlyMap<string, Seen> = new Map(),
  ) {}

  private sizeOf(name: string, rows: number): number {
    const count = rows * this.rowsOfOne;
    if (name === this.rowsDimension) return count;
    const seen = this.seen.get(name);
    const size = seen ? seen.size + (count - seen.rows) * seen.perRow : this.sizes[name];
    if (size === undefined) throw new Error(`nothing is known of the size "${name}"`);
    return Math.max(0, Math.round(size));
  }

  /** What a size is for so many rows; below 0 where the model does not run at these sizes. */
  at(dim: Dim, rows: number): number {
    if (typeof dim === 'number') return dim;
    let known = this.evaluated.get(rows);
    if (!known) this.evaluated.set(rows, (known = new Map<string, number>()));
    let size = known.get(dim.text);
    if (size === undefined) {
      size = evaluate(dim, (name) => this.sizeOf(name, rows));
      known.set(dim.text, size);
    }
    return size;
  }
}
