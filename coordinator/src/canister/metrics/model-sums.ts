import {
  countValue,
  histogramAt,
  histogramCells,
  type Histogram,
  type Scale,
} from './histogram.js';

/** Instructions of a request: up to 1 M, 4 M, … 4.2 T. */
const instructionScale: Scale = { first: 1_000_000, ratio: 4 };
/** Seconds of a request: half a round, a round, two rounds, … 17 minutes. */
const secondScale: Scale = { first: 0.5, ratio: 2 };
const secondNs = 1_000_000_000;

/** Where what stands among the numbers. */
const doneAt = 0;
const failedAt = 1;
const refusedAt = 2;
const batchesAt = 3;
const instructionsAt = 4;
const secondsAt = instructionsAt + histogramCells;
const cellCount = secondsAt + histogramCells;

/** Sums over the requests of one model. */
export class ModelSums {
  private readonly cells = new Float64Array(cellCount);

  /**
   * A request that was under way for so long is done.
   * @param instructions undefined where they are not known
   */
  succeed(elapsedNs: bigint, microBatches: number, instructions: bigint | undefined): void {
    const { cells } = this;
    cells[doneAt]!++;
    cells[batchesAt]! += microBatches;
    countValue(cells, secondsAt, secondScale, Number(elapsedNs) / secondNs);
    if (instructions === undefined) return;
    countValue(cells, instructionsAt, instructionScale, Number(instructions));
  }

  fail(): void {
    this.cells[failedAt]!++;
  }

  /** It failed, and no worker had it. */
  refuse(): void {
    this.fail();
    this.cells[refusedAt]!++;
  }

  get done(): number {
    return this.cells[doneAt]!;
  }
  /** Refused ones among them. */
  get failed(): number {
    return this.cells[failedAt]!;
  }
  get refused(): number {
    return this.cells[refusedAt]!;
  }
  /** Of requests that are done. */
  get microBatches(): number {
    return this.cells[batchesAt]!;
  }
  /** What workers executed for a request that is done. */
  get instructions(): Histogram {
    return histogramAt(this.cells, instructionsAt, instructionScale);
  }
  /** From a request's admission until the coordinator knew that it is done. */
  get seconds(): Histogram {
    return histogramAt(this.cells, secondsAt, secondScale);
  }

  save(): number[] {
    return [...this.cells];
  }

  /** Takes over what {@link save} gave; of another length it takes nothing. */
  restore(saved: readonly number[]): void {
    if (saved.length === cellCount) this.cells.set(saved);
  }
}
