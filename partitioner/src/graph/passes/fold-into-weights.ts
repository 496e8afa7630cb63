import { elementCount } from '@canopy/protocol';
import { allFloats } from '../constant.js';
import {
  isPlainEpilogue,
  weightBytes,
  type Program,
  type ProgramNode,
  type ProgramNodeOf,
} from '../program.js';
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

/** A weight that several nodes read may be copied for a factor of one of them up to this size. */
const largestCopyBytes = 64 * 1024;

/** Whether a factor would make a second version of a large weight that other nodes read as it is. */
function wouldCopy(
  uses: ProgramUses,
  program: Program,
  node: Weighted,
  step: ChannelAffine,
): boolean {
  const [, weightName, biasName] = node.inputs as [string, string, string];
  if (uses.readersOf(weightName).length === 1) return false;
  const value = (name: string) => program.values.get(name)!.weight!;
  if (weightBytes(value(weightName)) <= largestCopyBytes) return false;
  const bias = value(biasName);
  return bias.kind !== 'bias' || bias.values.some((_, channel) => step.factor(channel) !== 1);
}

/**
 * A constant factor or offset per channel (a bias, a scale, a batch normalisation left over) right
 * after Linear, Conv or DepthwiseConv goes into their weights and bias. A factor stays a step of its own
 * where the weights are large and other nodes read them too.
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
    if (wouldCopy(uses, program, before, step)) continue;
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
  if (bias?.kind !== 'bias' || !weight || !('scale' in weight)) {
    throw new Error(`${node.op} "${node.name}" has no packed weights`);
  }
  const channels = bias.values.length;
  const scale = Float32Array.from(
    { length: channels },
    (_, channel) => (weight.scale?.[channel] ?? 1) * factor(channel),
  );
  const values = bias.values.map((value, channel) => value * factor(channel) + offset(channel));
  const unchanged = bias.values.every((_, channel) => factor(channel) === 1);
  node.inputs = [
    input,
    unchanged ? weightName : addWeight(program, weightName, { ...weight, scale: scaled(scale) }),
    addWeight(program, biasName, { ...bias, values }),
  ];
}

/** A scale, where it is one at all. */
function scaled(scale: Float32Array): Float32Array | undefined {
  return scale.every((value) => value === 1) ? undefined : scale;
}
