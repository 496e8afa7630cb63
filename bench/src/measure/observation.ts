/** One execution slice: a message, or the part of a paused one that ran in one round. */
export interface SliceEvent {
  round: number;
  /** Position in the round, from 0. */
  iteration: number;
  /** Text of the canister's id. */
  canister: string;
  instructions: number;
  /** Of them, for touching pages; given with the last slice of a message. */
  pageInstructions: number;
  /** Bytes of heap the message changed; given with its last slice. */
  heapChangedBytes: number;
}

/** Rounds `[first, last]`, both included. */
export interface RoundWindow {
  first: number;
  last: number;
}

/** Instructions of a slice of deterministic time slicing. */
const sliceLimit = 2_000_000_000;
/** From so many instructions in an iteration on, a canister counts as at work in it. */
export const atWorkInstructions = 20_000_000;
/** Fewest rounds of a steady window. */
const leastWindow = 3;

/** Everything that ran in some rounds, and the figures that follow from it. */
export class Observation {
  private readonly slices: SliceEvent[] = [];
  private isOpen = true;

  /**
   * @param workers texts of the ids of all workers
   * @param heads those of the pipelines' first stages
   */
  constructor(
    private readonly workers: readonly string[],
    private readonly heads: readonly string[] = workers.slice(0, 1),
  ) {}

  add(event: SliceEvent): void {
    if (this.isOpen) this.slices.push(event);
  }

  /** What runs from now on does not count. */
  close(): void {
    this.isOpen = false;
  }

  private of(canisters: readonly string[], window?: RoundWindow): SliceEvent[] {
    return this.slices.filter(
      (slice) =>
        canisters.includes(slice.canister) &&
        (window === undefined || (slice.round >= window.first && slice.round <= window.last)),
    );
  }

  instructions(canisters: readonly string[], window?: RoundWindow): number {
    return sum(this.of(canisters, window).map((slice) => slice.instructions));
  }

  pageInstructions(canisters: readonly string[]): number {
    return sum(this.of(canisters).map((slice) => slice.pageInstructions));
  }

  /**
   * The rounds in which the pipelines are full: after the round of the first answer, up to the last
   * round before the heads run out of work. Undefined where they are fewer than 3, or where the workers
   * are idle in one of them: answers come in bursts then.
   */
  steadyWindow(firstAnswerRound: number): RoundWindow | undefined {
    const busy = sumBy(this.of(this.heads), (slice) => slice.round).filter(
      ([, used]) => used > atWorkInstructions,
    );
    const last = Math.max(...busy.map(([round]) => round)) - 1;
    const first = firstAnswerRound + 1;
    const isAtWork = (round: number): boolean =>
      this.instructions(this.workers, { first: round, last: round }) > atWorkInstructions;
    const rounds = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
    return rounds.length >= leastWindow && rounds.every(isAtWork) ? { first, last } : undefined;
  }

  /** How full the slice is in which an instruction of the canisters finds itself, on average. */
  sliceFullness(canisters: readonly string[] = this.workers): number {
    const used = this.of(canisters).map((slice) => slice.instructions);
    const total = sum(used);
    return total === 0 ? 0 : sum(used.map((value) => value * value)) / (total * sliceLimit);
  }

  /** Share of the workers' instructions that ran while 1, 2, 3, … of them were at work. */
  atWork(window?: RoundWindow): number[] {
    const iterations = new Map<string, Map<string, number>>();
    for (const slice of this.of(this.workers, window)) {
      const key = `${slice.round}.${slice.iteration}`;
      const canisters = iterations.get(key) ?? new Map<string, number>();
      canisters.set(slice.canister, (canisters.get(slice.canister) ?? 0) + slice.instructions);
      iterations.set(key, canisters);
    }
    const shares = this.workers.map(() => 0);
    for (const canisters of iterations.values()) {
      const used = [...canisters.values()].filter((value) => value >= atWorkInstructions);
      if (used.length > 0) shares[used.length - 1]! += sum(used);
    }
    const total = sum(shares);
    return shares.map((share) => (total === 0 ? 0 : share / total));
  }

  /** Bytes of heap changed in a round by the worker that changed most, mean over the window. */
  heapChangedPerRound(window: RoundWindow): number {
    const rounds = window.last - window.first + 1;
    const perCanister = sumBy(
      this.of(this.workers, window),
      (slice) => slice.canister,
      (slice) => slice.heapChangedBytes,
    );
    return Math.max(0, ...perCanister.map(([, bytes]) => bytes)) / rounds;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function sumBy<Key>(
  slices: readonly SliceEvent[],
  key: (slice: SliceEvent) => Key,
  value: (slice: SliceEvent) => number = (slice) => slice.instructions,
): [Key, number][] {
  const sums = new Map<Key, number>();
  for (const slice of slices) sums.set(key(slice), (sums.get(key(slice)) ?? 0) + value(slice));
  return [...sums];
}
