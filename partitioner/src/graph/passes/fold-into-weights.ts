import { elementCount } from '@canopy/protocol';
import { allFloats } from '../constant.js';
import { isPlainEpilogue, type Program, type ProgramNode, type ProgramNodeOf } from '../program.js';
import { addWeight } from './edit.js';
import { ProgramUses } from './uses.js';

type Weighted = ProgramNodeOf<'Linear'> | ProgramNodeOf<'Conv'> | ProgramNodeOf<'DepthwiseConv'>;

function isWeighted(node: ProgramNode | undefined): node is Weighted {
  return node?.op === 'Linear' || node?.op === 'Conv' || node?.op === 'DepthwiseConv';
}

/** `factor * y + offset` for each output channel. */
interface ChannelAffine {
  factor: (channel: number) => number;
  offset: (channel: number) => number;
  /** The operand that is computed. */
  x: string;
}

/** The step that a node is, where it is one per channel (the last dimension) with constant numbers. */
function channelAffine(program: Program, node: ProgramNode): ChannelAffine | undefined {
  if (node.op === 'Unary' && node.attributes.kind === 'affine') {
    const { alpha, beta } = node.attributes;
    return { factor: () => alpha, offset: () => beta, x: node.inputs[0]! };
  }
  if (node.op !== 'Binary' || !isPlainEpilogue(node.attributes.epilogue)) return undefined;
  const { kind } = node.attributes;
  for (const [x, other] of [
    [node.inputs[0]!, node.inputs[1]!],
    [node.inputs[1]!, node.inputs[0]!],
  ] as const) {
    const weight = program.values.get(other)?.weight;
    if (weight?.kind !== 'plain' || weight.constant.dtype !== 'float32') continue;
    const { dims } = weight.constant;
    const computed = program.values.get(x)!.shapes.dims;
    const channels = computed.at(-1);
    // The result must have the shape of x, whatever the sizes are: the constant widens nothing.
    if (dims.at(-1) !== channels || elementCount(dims) !== channels) continue;
    if (dims.length > computed.length) continue;
    const values = allFloats(weight.constant);
    if (kind === 'mul') return { factor: (channel) => values[channel]!, offset: () => 0, x };
    if (kind === 'add') return { factor: () => 1, offset: (channel) => values[channel]!, x };
    if (kind === 'sub' && x === node.inputs[0]) {
      return { factor: () => 1, offset: (channel) => -values[channel]!, x };
    }
  }
  return undefined;
}

/**
 * A constant factor or offset per channel (a bias, a scale, a batch normalisation left over) right
 * after Linear, Conv or DepthwiseConv goes into their weights and bias.
 */
export function foldIntoWeights(program: Program): boolean {
  let changed = false;
  for (const node of [...program.nodes]) {
    const step = channelAffine(program, node);
    if (!step) continue;
    const uses = new ProgramUses(program);
    const before = uses.producer(step.x);
    if (!isWeighted(before) || !isPlainEpilogue(before.attributes.epilogue)) continue;
    if (uses.onlyReader(step.x) !== node) continue;
    scaleWeights(program, before, step);
    before.outputs = node.outputs;
    program.nodes.splice(program.nodes.indexOf(node), 1);
    changed = true;
  }
  return changed;
}

function scaleWeights(program: Program, node: Weighted, { factor, offset }: ChannelAffine): void {
  const [input, weightName, biasName] = node.inputs as [string, string, string];
  const { weight } = program.values.get(weightName)!;
  const bias = program.values.get(biasName)!.weight;
  if (bias?.kind !== 'bias' || !weight || weight.kind === 'plain' || weight.kind === 'bias') {
    throw new Error(`${node.op} "${node.name}" has no packed weights`);
  }
  const channels = bias.values.length;
  const scale = Float32Array.from(
    { length: channels },
    (_, channel) => (weight.scale?.[channel] ?? 1) * factor(channel),
  );
  const values = bias.values.map((value, channel) => value * factor(channel) + offset(channel));
  const plain = scale.every((value) => value === 1);
  node.inputs = [
    input,
    addWeight(program, weightName, { ...weight, scale: plain ? undefined : scale }),
    addWeight(program, biasName, { ...bias, values }),
  ];
}
