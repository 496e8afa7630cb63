import { describe, expect, it } from 'vitest';
import { costSchedule } from '../cost/model.js';
import { PartitionError } from '../error.js';
import { floatConstant } from '../graph/constant.js';
import { makeNode } from '../graph/graph.js';
import type { Program } from '../graph/program.js';
import { runPasses } from '../graph/passes/index.js';
import { lowered, makeGraph, numbers } from '../testing/run-program.js';
import { planCuts } from './plan-cuts.js';
import { engineBytes, type StageLimits } from './program-chain.js';

const mebibyte = 1024 * 1024;
const generous: StageLimits = {
  maxWeightsBytes: 2048 * mebibyte,
  maxHeapBytes: 3072 * mebibyte,
  maxMessageBytes: 10 * mebibyte,
  instructionBudget: 1_900_000_000,
};
const schedule = costSchedule('2026-07');

/** Products one after the other, of [rows, 256] with 1, 2, 1 MiB of weights. */
async function products(rows = 1): Promise<Program> {
  const widths = [256, 1024, 512, 512];
  const constants = Object.fromEntries(
    [1, 2, 3].map((index) => {
      const dims = [widths[index - 1]!, widths[index]!];
      return [`w${index}`, floatConstant(dims, numbers(dims[0]! * dims[1]!, index))];
    }),
  );
  const graph = makeGraph({
    inputs: [{ name: 'x0', dtype: 'float32', dims: [rows, widths[0]] }],
    outputs: [{ name: 'x3', dtype: 'float32', dims: undefined }],
    nodes: [1, 2, 3].map((index) =>
      makeNode('MatMul', `product${index}`, [`x${index - 1}`, `w${index}`], [`x${index}`]),
    ),
    constants,
  });
  return runPasses((await lowered(graph)).program);
}

function cut(program: Program, limits: Partial<StageLimits>, workers?: number): PartitionError {
  const request = { goal: 'throughput', rows: 1, rowsIndependent: false, pipelines: 1 } as const;
  try {
    planCuts(program, schedule, { ...generous, ...limits }, { ...request, workers });
  } catch (error) {
    if (error instanceof PartitionError) return error;
    throw error;
  }
  throw new Error('the program was cut');
}

describe('the error of a program that does not fit', () => {
  it('gives the least weights that an operation needs, with which it is cut', async () => {
    const program = await products();
    const error = cut(program, { maxWeightsBytes: mebibyte });
    expect(error.message).toMatch(
      /Linear "product2" alone has 2\.1 MiB of weights, 1\.1 MiB too many, and a worker may hold 1\.0 MiB: allow at least 2\.1 MiB/,
    );
    const maxWeightsBytes = error.leastWeightsBytes!;
    planCuts(
      program,
      schedule,
      { ...generous, maxWeightsBytes },
      { goal: 'throughput', rows: 1, rowsIndependent: false, pipelines: 1, workers: undefined },
    );
    expect(cut(program, { maxWeightsBytes: maxWeightsBytes - 1 }).leastWeightsBytes).toBe(
      maxWeightsBytes,
    );
  });

  it('gives the workers and the weights with which it would fit', async () => {
    const program = await products();
    const error = cut(program, { maxWeightsBytes: 3.2 * mebibyte }, 1);
    expect(error.message).toMatch(
      /does not fit 1 worker of at most 3\.2 MiB of weights, by 0\.9 MiB: it needs at least 2 workers, or 4\.1 MiB/,
    );
    expect(error.leastWorkers).toBe(2);
    expect(() => cut(program, { maxWeightsBytes: error.leastWeightsBytes! }, 1)).toThrow('was cut');
  });

  it('blames the heap where more weights would not help', async () => {
    const program = await products();
    const tooFew = cut(program, { maxHeapBytes: engineBytes + 3.2 * mebibyte }, 1);
    expect(tooFew.message).toMatch(
      /does not fit 1 worker: .* would not fit a worker's heap of 19\.2 MiB,.*; its weights are 0\.9 MiB more than their heaps hold; it needs at least 2 workers/,
    );
    expect(tooFew.leastWeightsBytes).toBeUndefined();
    expect(tooFew.message).not.toMatch(/of weights a worker|at most/);
    const tooLarge = cut(program, { maxHeapBytes: engineBytes + 1.5 * mebibyte });
    expect(tooLarge.message).toMatch(
      /Linear "product2" alone takes 2\.1 MiB of weights.*0\.6 MiB more than fit a worker's heap of 17\.5 MiB, of which the engine, with tasks that wait, takes 16\.0 MiB: one operation is never cut/,
    );
    expect(tooLarge.message).not.toMatch(/allow/);
  });

  it('asks for smaller dims where activations are what is too large', async () => {
    const program = await products(512);
    const error = cut(program, { maxHeapBytes: engineBytes + 3 * mebibyte });
    expect(error.message).toMatch(
      /of activations, [\d.]+ MiB more than fit.*: plan with smaller dims/,
    );
  });

  it('reserves room for tasks that wait, as large as they are', async () => {
    const program = await products(4096);
    // The first product takes 4 MiB and gives 16, and two tasks of as much wait.
    const error = cut(program, { maxHeapBytes: 48 * mebibyte, maxMessageBytes: 64 * mebibyte });
    expect(error.message).toMatch(/takes 41\.1 MiB: plan with smaller dims/);
  });

  it('asks for more weights where a border would pass more than a message holds', async () => {
    const program = await products(512);
    const limits = { maxMessageBytes: mebibyte / 2, maxWeightsBytes: 3.5 * mebibyte };
    const error = cut(program, limits);
    expect(error.message).toMatch(/more weights lie together.*: allow at least 4\.1 MiB/);
    const unable = cut(program, { ...limits, maxHeapBytes: engineBytes + 6 * mebibyte });
    expect(unable.message).toMatch(/would pass from stage to stage, a message holds 0\.5 MiB/);
  });

  it('says so where stages could be cut, but not so many', async () => {
    const error = cut(await products(512), { maxMessageBytes: mebibyte }, 3);
    expect(error.message).toMatch(/cannot be cut into 3 stages.*fewer, at least 1/);
  });
});
