import { readFileSync, writeFileSync } from 'node:fs';
import { defaultInstructionBudget } from '@canopy/protocol';
import { costSchedule } from '../cost/model.js';
import { messageWork, placeOf } from '../cost/stage.js';
import { nodeWork } from '../cost/work/node-work.js';
import { plainKernel, type Work } from '../cost/work/work.js';
import { nonNegativeFit } from './least-squares.js';
import { sampleTensor } from '../onnx/runtime.js';
import { identityPipeline, type Probe } from './probe.js';
import { probeGroups } from './probes.js';
import { WorkersOnIc } from './worker-on-ic.js';

/**
 * Measures the worker's kernels: runs a program of one operation for each of many shapes on the
 * embedded IC, under the schedule that counts no pages, and fits a price for everything that the work
 * model counts. Writes `src/cost/coefficients.json`. With `--only GROUP` it measures one group of probes, and
 * keeps the prices of kernels that others measure.
 */
type Prices = Record<string, Record<string, number>>;

const target = new URL('../../src/cost/coefficients.json', import.meta.url);
const about =
  'Instructions of the worker: for each kernel, a price for each thing that its work counts (cost/work). ' +
  'Measured and written by `npm run calibrate -w partitioner`.';

function workOf({ program }: Probe, bytesReceived: number): Work[] {
  return [
    messageWork('single', bytesReceived, 0),
    // What a stage is given lies in the message and cannot be taken over.
    ...program.nodes.flatMap((node) =>
      nodeWork(program, node, 1, !program.inputs.includes(node.inputs[0]!)),
    ),
  ];
}

function known(prices: Prices, work: readonly Work[]): number {
  let sum = 0;
  for (const { kernel, counts } of work) {
    for (const [name, count] of Object.entries(counts))
      sum += count * (prices[kernel]?.[name] ?? 0);
  }
  return sum;
}

function fit(prices: Prices, measured: readonly { work: Work[]; instructions: number }[]): number {
  const unknown: [string, string][] = [];
  for (const { work } of measured) {
    for (const { kernel, counts } of work) {
      if (prices[kernel]) continue;
      for (const name of Object.keys(counts)) {
        if (!unknown.some(([k, n]) => k === kernel && n === name)) unknown.push([kernel, name]);
      }
    }
  }
  const rows = measured.map(({ work }) =>
    unknown.map(([kernel, name]) =>
      work.reduce((sum, item) => sum + (item.kernel === kernel ? (item.counts[name] ?? 0) : 0), 0),
    ),
  );
  const targets = measured.map(({ work, instructions }) => instructions - known(prices, work));
  const solved = nonNegativeFit(
    rows,
    targets,
    measured.map(({ instructions }) => instructions),
  );
  unknown.forEach(([kernel, name], index) => {
    (prices[kernel] ??= {})[name] = Number(solved[index]!.toPrecision(5));
  });
  return Math.max(
    ...measured.map(({ work, instructions }) => Math.abs(known(prices, work) / instructions - 1)),
  );
}

/** Pipelines of three stages that hand values on as they are: what messages between stages cost. */
function measureHops(ic: WorkersOnIc): { work: Work[]; instructions: number }[] {
  const { byteSent } = costSchedule('2025-10');
  return [16, 1000, 20_000, 100_000].flatMap((size) => {
    const { program, shards } = identityPipeline(3, size);
    const pipeline = ic.deploy(shards, defaultInstructionBudget);
    const { traces } = pipeline.run([sampleTensor(program.inputs[0]!, 'float32', [size])]);
    return traces.map((trace, index) => {
      const place = placeOf(index === 0, index === traces.length - 1);
      const work = [
        messageWork(place, trace.bytesReceived, trace.bytesSent),
        ...nodeWork(program, program.nodes[index]!, 1, false),
      ];
      return { work, instructions: Number(trace.instructions) - trace.bytesSent * byteSent };
    });
  });
}

function report(name: string, count: number, worst: number): void {
  console.log(`${name}: ${count} probes, at most ${(worst * 100).toFixed(1)} % off`);
}

/** Prices that are known before a group is measured, where no other is. */
function keptPrices(only: string): Prices {
  const groups = probeGroups();
  const at = groups.findIndex(({ name }) => name === only);
  if (at < 0) throw new Error(`--only: one of ${groups.map(({ name }) => name).join(', ')}`);
  const kernelsOf = ({ probes }: { probes: readonly Probe[] }): string[] =>
    probes.flatMap((probe) => workOf(probe, 0).map(({ kernel }) => kernel));
  const others = new Set(groups.filter((_, index) => index !== at).flatMap(kernelsOf));
  const own = new Set(kernelsOf(groups[at]!).filter((kernel) => !others.has(kernel)));
  const { kernels } = JSON.parse(readFileSync(target, 'utf8')) as { kernels: Prices };
  return Object.fromEntries(Object.entries(kernels).filter(([kernel]) => !own.has(kernel)));
}

function main(): void {
  const ic = new WorkersOnIc('2025-10');
  const at = process.argv.indexOf('--only');
  const only = at < 0 ? undefined : process.argv[at + 1];
  const kept = only === undefined ? {} : keptPrices(only);
  const prices: Prices = { ...kept, [plainKernel]: { instruction: 1 } };
  for (const { name, probes } of probeGroups()) {
    if (only !== undefined && name !== only) continue;
    const measured = probes.map((probe) => {
      const pipeline = ic.deploy([probe.shard()], defaultInstructionBudget);
      const { instructions, bytesReceived } = probe.run(pipeline);
      return { work: workOf(probe, bytesReceived), instructions };
    });
    const worst = fit(prices, measured);
    report(name, probes.length, worst);
    if (process.argv.includes('--verbose')) {
      for (const { work, instructions } of measured) {
        const off = known(prices, work) / instructions - 1;
        if (Math.abs(off) > 0.03)
          console.log(
            (off * 100).toFixed(1),
            instructions,
            JSON.stringify(work.slice(1, -1)).slice(0, 300),
          );
      }
    }
  }
  if (only === undefined) {
    const hops = measureHops(ic);
    report('hops', hops.length, fit(prices, hops));
  }
  const measured = Object.entries(prices).filter(([kernel]) => kernel !== plainKernel);
  const sorted = Object.fromEntries(measured.sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(target, `${JSON.stringify({ about, kernels: sorted }, undefined, 2)}\n`);
}

main();
