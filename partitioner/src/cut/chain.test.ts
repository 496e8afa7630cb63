import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutChain, fewestStages, type Chain } from './chain.js';

/** A chain with a cost for each node, a cost for each stage, weights with a limit, and bytes at cuts. */
interface Sample {
  costs: number[];
  weights: number[];
  bytes: number[];
  fixed: number;
  limit: number;
}

const sample: fc.Arbitrary<Sample> = fc.integer({ min: 1, max: 8 }).chain((nodes) =>
  fc.record({
    costs: fc.array(fc.integer({ min: 0, max: 20 }), { minLength: nodes, maxLength: nodes }),
    weights: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: nodes, maxLength: nodes }),
    bytes: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: nodes + 1, maxLength: nodes + 1 }),
    fixed: fc.integer({ min: 0, max: 10 }),
    limit: fc.integer({ min: 5, max: 40 }),
  }),
);

function chainOf({ costs, weights, bytes, fixed, limit }: Sample): Chain {
  const sum = (list: number[], start: number, end: number): number =>
    list.slice(start, end).reduce((total, item) => total + item, 0);
  return {
    nodes: costs.length,
    cost: (start, end) =>
      sum(weights, start, end) > limit ? Infinity : fixed + sum(costs, start, end),
    leastCost: (start, end) => sum(costs, start, end),
    bytes: (cut) => bytes[cut]!,
  };
}

/** Every way to cut, by trying all. */
function allCuts(nodes: number, stages: number): number[][] {
  if (stages === 1) return [[0, nodes]];
  const found: number[][] = [];
  for (let last = stages - 1; last < nodes; last++) {
    for (const cuts of allCuts(last, stages - 1)) found.push([...cuts, nodes]);
  }
  return found;
}

/** Cost of the most expensive stage, then the bytes between stages. */
function measure(chain: Chain, cuts: readonly number[]): [number, number] {
  const costs = cuts.slice(1).map((end, index) => chain.cost(cuts[index]!, end));
  const bytes = cuts.slice(1, -1).reduce((sum, cut) => sum + chain.bytes(cut), 0);
  return [Math.max(...costs), bytes];
}

describe('cutting a chain', () => {
  it('is as good as trying every cut', () => {
    fc.assert(
      fc.property(sample, fc.integer({ min: 1, max: 5 }), (parts, stages) => {
        const chain = chainOf(parts);
        const measured = allCuts(chain.nodes, stages)
          .map((cuts) => measure(chain, cuts))
          .filter(([bottleneck]) => bottleneck !== Infinity)
          .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
        const cuts = cutChain(chain, stages);
        if (measured.length === 0) expect(cuts).toBeUndefined();
        else expect(measure(chain, cuts!)).toEqual(measured[0]);
      }),
    );
  });

  it('finds the fewest stages that fit', () => {
    fc.assert(
      fc.property(sample, (parts) => {
        const chain = chainOf(parts);
        const fits = (stages: number): boolean =>
          allCuts(chain.nodes, stages).some((cuts) => measure(chain, cuts)[0] !== Infinity);
        const all = Array.from({ length: chain.nodes }, (_, index) => index + 1);
        expect(fewestStages(chain)).toBe(all.find(fits));
      }),
    );
  });

  it('asks for few costs of stages that are too dear by their least cost', () => {
    const nodes = 100;
    const asked = new Set<string>();
    const chain: Chain = {
      nodes,
      cost: (start, end) => {
        asked.add(`${start} ${end}`);
        return end - start;
      },
      leastCost: (start, end) => end - start,
      bytes: () => 1,
    };
    cutChain(chain, 1);
    expect(asked.size).toBe(nodes);
    cutChain(chain, 4);
    // Of all stages that begin later there are 4,950.
    expect([...asked].filter((stage) => !stage.startsWith('0 ')).length).toBeLessThan(3000);
  });

  it('cuts into stages of equal cost where it can', () => {
    const chain = chainOf({
      costs: [3, 3, 2, 1, 3, 6],
      weights: [0, 0, 0, 0, 0, 0],
      bytes: [0, 9, 9, 9, 9, 9, 0],
      fixed: 0,
      limit: 1,
    });
    expect(cutChain(chain, 3)).toEqual([0, 2, 5, 6]);
  });
});
