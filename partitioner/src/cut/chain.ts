/** A chain of nodes to cut, as plain numbers. Node `i` lies between cuts `i` and `i + 1`. */
export interface Chain {
  nodes: number;
  /** Cost of the stage that holds nodes `[start, end)`; Infinity where it may not be. */
  cost(start: number, end: number): number;
  /** No more than the cost; grows with the stage. */
  leastCost(start: number, end: number): number;
  /** Bytes that pass a cut. */
  bytes(cut: number): number;
}

/**
 * Cuts a chain into exactly so many stages, none empty. The most expensive stage is as cheap as can
 * be; among all such cuts, the bytes between stages are fewest; among these, the first cuts come
 * earliest. Exact.
 *
 * @returns where each stage begins, and the chain's end: `stages + 1` cuts; undefined where no cut is
 * allowed by the costs
 */
export function cutChain(chain: Chain, stages: number): number[] | undefined {
  const bottleneck = smallestBottleneck(chain, stages);
  return bottleneck === Infinity ? undefined : fewestBytes(chain, stages, bottleneck);
}

/** For each number of stages, the bottleneck of nodes [0, end) in so many, as far as it was asked for. */
const bottlenecks = new WeakMap<Chain, Float64Array[]>();

/** Least possible cost of the most expensive stage; Infinity where no cut is allowed. */
function smallestBottleneck(chain: Chain, stages: number): number {
  let rows = bottlenecks.get(chain);
  if (!rows) {
    const none = new Float64Array(chain.nodes + 1).fill(Infinity);
    none[0] = 0;
    bottlenecks.set(chain, (rows = [none]));
  }
  while (rows.length <= stages) rows.push(withOneMoreStage(chain, rows.at(-1)!, rows.length));
  return rows[stages]![chain.nodes]!;
}

function withOneMoreStage(chain: Chain, best: Float64Array, stage: number): Float64Array {
  const next = new Float64Array(chain.nodes + 1).fill(Infinity);
  for (let end = stage; end <= chain.nodes; end++) {
    let least = Infinity;
    for (let start = end - 1; start >= stage - 1; start--) {
      if (chain.leastCost(start, end) >= least) break;
      if (best[start]! >= least) continue;
      least = Math.min(least, Math.max(best[start]!, chain.cost(start, end)));
    }
    next[end] = least;
  }
  return next;
}

/** The last end at which a stage from `start` costs at most `limit`; `start` where there is none. */
function furthestEnd(chain: Chain, start: number, limit: number): number {
  let [end, tooFar] = [start, chain.nodes + 1];
  while (tooFar - end > 1) {
    const middle = (end + tooFar) >> 1;
    if (chain.leastCost(start, middle) <= limit) end = middle;
    else tooFar = middle;
  }
  while (end > start && chain.cost(start, end) > limit) end--;
  return end;
}

/** Among cuts whose stages cost at most `limit`, the one with the fewest bytes between stages. */
function fewestBytes(chain: Chain, stages: number, limit: number): number[] | undefined {
  const known: number[] = [];
  const furthest = (start: number): number => (known[start] ??= furthestEnd(chain, start, limit));
  // reach[stage]: the last node that stage `stage` can begin with.
  const reach = [0];
  for (let stage = 0; stage < stages; stage++) {
    let end = 0;
    for (let start = stage; start <= Math.min(reach[stage]!, chain.nodes - 1); start++) {
      end = Math.max(end, furthest(start));
    }
    reach.push(end);
  }
  // rest[stage][start]: bytes passing the cuts after `start` when stages `stage`.. hold [start, end).
  const rest: number[][] = [];
  rest[stages] = Array.from({ length: chain.nodes + 1 }, (_, start) =>
    start === chain.nodes ? 0 : Infinity,
  );
  // The first cut after which the stages that follow hold what is left.
  let first = chain.nodes;
  for (let stage = stages - 1; stage >= 0; stage--) {
    const row = new Array<number>(chain.nodes + 1).fill(Infinity);
    let firstStart = chain.nodes;
    for (let start = Math.min(reach[stage]!, chain.nodes - 1); start >= stage; start--) {
      const most = furthest(start);
      for (let end = Math.max(start + 1, first); end <= most; end++) {
        const bytes = rest[stage + 1]![end]! + (end === chain.nodes ? 0 : chain.bytes(end));
        if (bytes >= row[start]! || chain.cost(start, end) > limit) continue;
        row[start] = bytes;
      }
      if (row[start] !== Infinity) firstStart = start;
    }
    rest[stage] = row;
    first = firstStart;
  }
  if (rest[0]![0] === Infinity) return undefined;
  const cuts = [0];
  for (let stage = 0; stage < stages; stage++) {
    const start = cuts.at(-1)!;
    for (let end = start + 1; end <= furthest(start); end++) {
      const after = rest[stage + 1]![end]!;
      const passing = end === chain.nodes ? 0 : chain.bytes(end);
      if (
        after !== Infinity &&
        passing + after === rest[stage]![start] &&
        chain.cost(start, end) <= limit
      ) {
        cuts.push(end);
        break;
      }
    }
  }
  return cuts;
}

/** Fewest stages into which the chain can be cut; undefined where a single node is not allowed. */
export function fewestStages(chain: Chain): number | undefined {
  // Ends that so many stages reach, and no fewer: a model that fits one worker is asked for one start.
  let reached = [0];
  const seen = new Set(reached);
  for (let stages = 0; reached.length > 0; stages++) {
    if (seen.has(chain.nodes)) return stages;
    const next: number[] = [];
    for (const start of reached) {
      for (let end = start + 1; end <= chain.nodes; end++) {
        if (seen.has(end) || chain.cost(start, end) === Infinity) continue;
        seen.add(end);
        next.push(end);
      }
    }
    reached = next;
  }
  return undefined;
}
