import {
  absentValue,
  decodeShardHead,
  opName,
  type DTypeName,
  type OpName,
} from '@canopy/protocol';
import { makeShard } from '../emit/shard.js';
import { sampleFeeds } from '../graph/measure.js';
import { nodeCost } from '../cost/model.js';
import { loadModel } from '../load.js';

/**
 * Prints what each operator of a model costs, counted node by node in the worker's engine and without what
 * pages cost, beside what is predicted: `npm run profile -w partitioner -- MODEL [name=size ...] [--nodes]`.
 */
const [path, ...rest] = process.argv.slice(2);
if (path === undefined) throw new Error('say which model: npm run profile -w partitioner -- MODEL');
const pairs = rest.filter((argument) => argument.includes('='));
const dims = Object.fromEntries(
  pairs.map((pair) => [pair.split('=')[0]!, Number(pair.split('=')[1])]),
);

/** A tensor as its bytes. */
interface Bytes {
  dtype: DTypeName;
  dims: readonly number[];
  bytes: Uint8Array;
}

interface MeteredEngine {
  run(
    node: {
      op: OpName;
      inputs: readonly (Bytes | undefined)[];
      words: readonly number[];
      dies: readonly number[];
      outputs: number;
    },
    yields: boolean,
  ): { output: Uint8Array; instructions: number };
}

/** The worker's engine by itself; its own types bring those of the compiler with them. */
async function meteredEngine(): Promise<MeteredEngine> {
  const file = new URL('../../../worker/dist/testing/metered-engine.js', import.meta.url);
  const { MeteredEngine: engine } = (await import(file.href)) as {
    MeteredEngine: { create(): Promise<MeteredEngine> };
  };
  return engine.create();
}

interface Line {
  label: string;
  nodes: number;
  counted: number;
  predicted: number;
}

/** What an engine replied: for each output the struct of a tensor and its bytes. */
function outputsOf(reply: Uint8Array, like: readonly DTypeName[]): Bytes[] {
  let at = 0;
  return like.map((dtype) => {
    const words = new Uint32Array(reply.slice(at, at + 56).buffer);
    const [, rank = 0, byteLength = 0] = words;
    const bytes = reply.slice(at + 56, at + 56 + byteLength);
    at += 56 + byteLength;
    return { dtype, dims: [...words.subarray(6, 6 + rank)], bytes };
  });
}

const model = await loadModel(path, dims);
const { program } = model;
const shard = makeShard(program, program);
const bytes = shard.read(0, shard.byteLength);
const decoded = decodeShardHead(bytes);
const engine = await meteredEngine();
const values = decoded.program.values.map(({ dtype, weight }): Bytes | undefined => {
  if (!weight) return undefined;
  const start = decoded.weightsOffset + weight.offset;
  return { dtype, dims: weight.dims, bytes: bytes.slice(start, start + weight.byteLength) };
});
sampleFeeds(model.original, model.dims, 1).forEach(({ dtype, dims, data }, index) => {
  values[decoded.program.inputs[index]!] = { dtype, dims, bytes: data };
});
const lines = decoded.program.nodes.map((node, index): Line => {
  const op = opName(node.op)!;
  const run = engine.run(
    {
      op,
      inputs: node.inputs.map((value) => (value === absentValue ? undefined : values[value])),
      words: node.attributes,
      dies: node.inputs.flatMap((value, at) => (node.frees.includes(value) ? [at] : [])),
      outputs: node.outputs.length,
    },
    false,
  );
  const types = node.outputs.map((value) => decoded.program.values[value]!.dtype);
  outputsOf(run.output, types).forEach((output, at) => (values[node.outputs[at]!] = output));
  const source = program.nodes[index]!;
  const sizes = node.outputs.map((value) => `[${values[value]!.dims.join()}]`).join(' ');
  return {
    label: rest.includes('--nodes') ? `${op} ${node.name.slice(-40)} ${sizes}` : op,
    nodes: 1,
    counted: run.instructions,
    predicted: nodeCost(
      program,
      source,
      1,
      node.inputs.some((v) => node.frees.includes(v)),
    ),
  };
});
model.close();

const byLabel = new Map<string, Line>();
for (const line of lines) {
  const sum = byLabel.get(line.label) ?? { label: line.label, nodes: 0, counted: 0, predicted: 0 };
  sum.nodes += line.nodes;
  sum.counted += line.counted;
  sum.predicted += line.predicted;
  byLabel.set(line.label, sum);
}
const print = ({ label, nodes, counted, predicted }: Line): void => {
  const off = counted > 0 ? `${((predicted / counted - 1) * 100).toFixed(1)} %` : '';
  const columns = [`${nodes}`.padStart(4), counted.toFixed(0).padStart(12)];
  console.log([...columns, predicted.toFixed(0).padStart(12), off.padStart(9), label].join('  '));
};
for (const line of [...byLabel.values()].toSorted((a, b) => b.counted - a.counted)) print(line);
const sum = (of: (line: Line) => number): number => lines.reduce((all, line) => all + of(line), 0);
print({
  label: 'all nodes',
  nodes: lines.length,
  counted: sum(({ counted }) => counted),
  predicted: sum(({ predicted }) => predicted),
});
