import type { DTypeName, OpName } from '@canopy/protocol';
import { makeShard } from '../emit/shard.js';
import { memoryConstant } from '../graph/constant.js';
import {
  fixedShapes,
  weightDims,
  type OpAttributes,
  type Program,
  type ProgramNode,
  type Weight,
} from '../graph/program.js';
import { sampleTensor } from '../onnx/runtime.js';
import type { Pipeline } from './worker-on-ic.js';

/** An operand of a probe: computed, or constant. */
export interface Operand {
  dims: readonly number[];
  dtype?: DTypeName;
  weight?: Weight;
}

/** A constant operand of given i64 numbers, or of made-up numbers. */
export function constant(
  dims: readonly number[],
  dtype: DTypeName = 'float32',
  values?: readonly number[],
): Operand {
  const data = values
    ? new Uint8Array(BigInt64Array.from(values, BigInt).buffer)
    : sampleTensor('', dtype, dims, 3).data;
  return { dims, dtype, weight: { kind: 'plain', constant: memoryConstant(dtype, dims, data) } };
}

/** A program of one operation, or a few, or none, whose result's shape alone is given out. */
export class Probe {
  readonly program: Program;

  constructor(
    readonly nodes: ProgramNode[],
    operands: Readonly<Record<string, Operand>>,
  ) {
    const values: Program['values'] = new Map();
    const inputs: string[] = [];
    for (const [name, { dims, dtype = 'float32', weight }] of Object.entries(operands)) {
      const shape = weight ? weightDims(weight) : dims;
      const shapes = fixedShapes(shape);
      values.set(name, { name, dtype, shapes, ...(weight && { weight }) });
      const read = nodes.length === 0 || nodes.some((node) => node.inputs.includes(name));
      const written = nodes.some((node) => node.outputs.includes(name));
      if (!weight && read && !written) inputs.push(name);
    }
    const last = nodes.at(-1)?.outputs[0] ?? inputs[0]!;
    const rank = values.get(last)!.shapes.rank;
    values.set('shape', { name: 'shape', dtype: 'int64', shapes: fixedShapes([rank]) });
    const all: ProgramNode[] = [
      ...nodes,
      {
        op: 'Shape',
        name: 'shape',
        inputs: [last],
        outputs: ['shape'],
        attributes: { start: 0, end: 0x7fffffff },
      },
    ];
    this.program = { inputs, outputs: ['shape'], nodes: all, values };
  }

  shard(): Uint8Array {
    const { nodes, inputs, outputs } = this.program;
    const shard = makeShard(this.program, { nodes, inputs, outputs });
    return shard.read(0, shard.byteLength);
  }

  /** Runs it once and gives the counted instructions. */
  run(pipeline: Pipeline): { instructions: number; bytesReceived: number; scratchBytes: number } {
    const feeds = this.program.inputs.map((name) => {
      const { dtype, shapes } = this.program.values.get(name)!;
      return sampleTensor(name, dtype, shapes.at(1));
    });
    const { traces, outputs } = pipeline.run(feeds);
    const [trace] = traces;
    const expected = this.program.values.get(this.program.nodes.at(-1)!.inputs[0]!)!.shapes.at(1);
    const given = new BigInt64Array(outputs[0]!.data.slice().buffer);
    if (given.join() !== expected.join()) {
      throw new Error(`probe gives [${given.join()}], expected [${expected.join()}]`);
    }
    return {
      instructions: Number(trace!.instructions),
      bytesReceived: trace!.bytesReceived,
      scratchBytes: trace!.scratchBytes,
    };
  }
}

/** A probe of one operation on operands, the first of which are `a`, `b`, `c`; undefined ones are left out. */
export function probe<Op extends OpName>(
  op: Op,
  attributes: OpAttributes[Op],
  operands: readonly (Operand | undefined)[],
  output: Operand,
): Probe {
  const names = operands.map((operand, index) => (operand ? 'abcdefghi'[index]! : ''));
  const node = {
    op,
    name: op,
    inputs: names,
    outputs: ['y'],
    attributes,
  } as unknown as ProgramNode;
  const given = operands.flatMap((operand, index) =>
    operand ? [[names[index]!, operand] as const] : [],
  );
  const named = Object.fromEntries(given);
  return new Probe([node], { ...named, y: output });
}

/** A program of `stages` Identity operations on so many numbers, and a shard for each of them. */
export function identityPipeline(
  stages: number,
  size: number,
): { program: Program; shards: Uint8Array[] } {
  const names = Array.from({ length: stages + 1 }, (_, index) => `v${index}`);
  const shapes = fixedShapes([size]);
  const nodes: ProgramNode[] = names.slice(1).map((output, index) => ({
    op: 'Identity',
    name: output,
    inputs: [names[index]!],
    outputs: [output],
    attributes: {},
  }));
  const program: Program = {
    inputs: [names[0]!],
    outputs: [names[stages]!],
    nodes,
    values: new Map(names.map((name) => [name, { name, dtype: 'float32', shapes }])),
  };
  const shards = nodes.map((node) => {
    const slice = { nodes: [node], inputs: node.inputs, outputs: node.outputs };
    const shard = makeShard(program, slice);
    return shard.read(0, shard.byteLength);
  });
  return { program, shards };
}
