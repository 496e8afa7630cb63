import { type GraphNode, intAttribute, stringAttribute } from '../graph/graph.js';
import { Compute } from '../graph/lower/compute.js';
import { type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { floorDivide, multiply, type Dim } from '../graph/shapes/dim.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { OperatorFamily } from './operator.js';

/** Height and width of an image, times the block's size or divided by it. */
function scaledSizes(node: GraphNode, to: Lowering, compute: Compute, kind: 'mul' | 'div'): string {
  const block = intAttribute(node, 'blocksize', 1);
  const factors = to.ints(`${node.name}/block`, [block, block]);
  return compute.binary(kind, compute.shapeOf(node.inputs[0]!, 2, 4), factors);
}

function channelsOf(node: GraphNode, to: Lowering): number {
  const channels = to.dims(node.inputs[0]!)[1];
  if (typeof channels === 'number') return channels;
  throw new UnsupportedNode('has an open number of channels', 'fix it in the model');
}

function depthToSpace(node: GraphNode, to: Lowering): void {
  const x = node.inputs[0]!;
  const block = intAttribute(node, 'blocksize', 1);
  const channels = channelsOf(node, to) / (block * block);
  const [batch, , height, width] = to.dims(x) as [Dim, Dim, Dim, Dim];
  const compute = new Compute(node, to);
  const columnsFirst = stringAttribute(node, 'mode', 'DCR') === 'CRD';
  const parts = columnsFirst ? [channels, block, block] : [block, block, channels];
  const cut = compute.reshapeTo(x, compute.sizes(0, ...parts, compute.shapeOf(x, 2, 4)), [
    batch,
    ...parts,
    height,
    width,
  ]);
  const moved = compute.transpose(cut, columnsFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]);
  const sizes = scaledSizes(node, to, compute, 'mul');
  const dims = to.dims(node.outputs[0]!);
  compute.reshapeTo(moved, compute.sizes(0, channels, sizes), dims, node.outputs[0]);
}

function spaceToDepth(node: GraphNode, to: Lowering): void {
  const x = node.inputs[0]!;
  const block = intAttribute(node, 'blocksize', 1);
  const channels = channelsOf(node, to);
  const [batch, , height, width] = to.dims(x) as [Dim, Dim, Dim, Dim];
  const compute = new Compute(node, to);
  const sizes = scaledSizes(node, to, compute, 'div');
  const part = (start: number): string => {
    const result = to.temporary(`${node.name}/part`, 'int64', [1]);
    const bounds = [[start], [start + 1]].map((bound) => to.ints(`${node.name}/bound`, bound));
    to.add('Slice', node, [sizes, ...bounds], [result], {});
    return result;
  };
  const shape = compute.sizes(0, channels, part(0), block, part(1), block);
  const [down, across] = [floorDivide(height, block), floorDivide(width, block)];
  const cut = compute.reshapeTo(x, shape, [batch, channels, down, block, across, block]);
  const moved = compute.transpose(cut, [0, 3, 5, 1, 2, 4]);
  const dims = to.dims(node.outputs[0]!);
  const target = compute.sizes(0, channels * block * block, sizes);
  compute.reshapeTo(moved, target, dims, node.outputs[0]);
}

const depthToSpaceShape: Rule = (op) => {
  const [batch, channels, height, width] = op.dims(0);
  const block = op.int('blocksize', 1);
  const dims: Dim[] = [
    batch!,
    floorDivide(channels!, block * block),
    multiply(height!, block),
    multiply(width!, block),
  ];
  return [{ dtype: op.dtype(0), dims }];
};

const spaceToDepthShape: Rule = (op) => {
  const [batch, channels, height, width] = op.dims(0);
  const block = op.int('blocksize', 1);
  const dims: Dim[] = [
    batch!,
    multiply(channels!, block * block),
    floorDivide(height!, block),
    floorDivide(width!, block),
  ];
  return [{ dtype: op.dtype(0), dims }];
};

const limits = 'a fixed number of channels';

export const depthSpaceFamily: OperatorFamily = {
  model: {
    DepthToSpace: { shape: depthToSpaceShape, lower: depthToSpace, types: ['any'], limits },
    SpaceToDepth: { shape: spaceToDepthShape, lower: spaceToDepth, types: ['any'], limits },
  },
  program: {},
};
