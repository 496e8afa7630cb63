import {
  dtypeBytes,
  elementCount,
  ResizeCoordinates,
  type ResizeCoordinatesName,
  ResizeMode,
  type ResizeModeName,
  ResizeNearest,
  type ResizeNearestName,
  ResizePolicy,
  type ResizePolicyName,
} from '@canopy/protocol';
import { plainWork, type Work } from '../cost/work/work.js';
import {
  floatAttribute,
  floatsAttribute,
  type GraphNode,
  intAttribute,
  intsAttribute,
  stringAttribute,
} from '../graph/graph.js';
import { type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import type { RowRule } from '../graph/rows/rule.js';
import { type Dim, same, scale } from '../graph/shapes/dim.js';
import { fromFront, NotDerivable } from '../graph/shapes/facts.js';
import type { Operation, Rule } from '../graph/shapes/operation.js';
import type { NodeAt, OperatorFamily } from './operator.js';

/** Axes that a Resize names, or all. */
function axesOf(given: readonly number[] | undefined, rank: number): number[] {
  return given?.map((axis) => fromFront(axis, rank)) ?? [...Array(rank).keys()];
}

/** Sizes by scales of an input; open where they are computed. */
function scaledDims(op: Operation, input: number, axes: readonly number[]): Dim[] {
  const dims = [...op.dims(0)];
  let scales: Float32Array | undefined;
  try {
    scales = op.floats(input);
  } catch (error) {
    if (!(error instanceof NotDerivable)) throw error;
  }
  axes.forEach((axis, index) => {
    const factor = scales?.[index];
    dims[axis] = factor === undefined ? op.open(0, axis) : scale(dims[axis]!, factor);
  });
  return dims;
}

const resizeShape: Rule = (op) => {
  const dims = op.dims(0);
  const dtype = op.dtype(0);
  const axes = axesOf(op.ints('axes'), dims.length);
  if (op.opset < 11) return [{ dtype, dims: scaledDims(op, 1, axes) }];
  if (!op.has(3)) return [{ dtype, dims: scaledDims(op, 2, axes) }];
  const sizes = op.facts(3).values;
  const result = [...dims];
  const policy = op.string('keep_aspect_ratio_policy', 'stretch');
  if (policy !== 'stretch') {
    const scales = axes.map((axis, index) => {
      const [size, own] = [sizes?.[index], dims[axis]!];
      return typeof size === 'number' && typeof own === 'number' && own > 0
        ? Math.fround(size / own)
        : undefined;
    });
    const known = scales.every((value) => value !== undefined);
    const factor = (policy === 'not_larger' ? Math.min : Math.max)(...scales.map(Number));
    for (const axis of axes) {
      const own = dims[axis]!;
      result[axis] =
        known && typeof own === 'number'
          ? Math.floor(Math.fround(factor * own) + 0.5)
          : op.open(0, axis);
    }
    return [{ dtype, dims: result }];
  }
  axes.forEach((axis, index) => {
    result[axis] = sizes?.[index] ?? op.open(0, axis);
  });
  return [{ dtype, dims: result }];
};

/** Resize of before operator set 10; scales as an attribute until operator set 8. */
const upsampleShape: Rule = (op) => {
  const given = op.attribute('scales');
  const dims = op.dims(0);
  if (given?.kind !== 'floats') {
    return [{ dtype: op.dtype(0), dims: scaledDims(op, 1, axesOf(undefined, dims.length)) }];
  }
  return [{ dtype: op.dtype(0), dims: dims.map((dim, axis) => scale(dim, given.value[axis]!)) }];
};

/** A name of a table; throws for any other. */
function choice<Name extends string>(
  table: Readonly<Record<Name, number>>,
  what: string,
  name: string,
): Name {
  if (Object.hasOwn(table, name)) return name as Name;
  throw new UnsupportedNode(
    `has the ${what} ${name}`,
    `use one of ${Object.keys(table).join(', ')}`,
  );
}

/** Inputs of a node as Resize has them since operator set 11. */
interface Given {
  region: string;
  scales: string;
  sizes: string;
}

function givenOf(node: GraphNode, to: Lowering): Given {
  const [, first = '', second = '', third = ''] = node.inputs;
  const attribute = floatsAttribute(node, 'scales');
  if (attribute) {
    const scales = to.floats(`${node.name}/scales`, [attribute.length], attribute);
    return { region: '', scales, sizes: '' };
  }
  if (node.op === 'Upsample' || to.opset < 11) return { region: '', scales: first, sizes: '' };
  // Exporters give no scales as a list of none.
  const isNone = (name: string): boolean => name !== '' && to.dims(name)[0] === 0;
  const scales = isNone(second) ? '' : second;
  return { region: isNone(first) ? '' : first, scales, sizes: isNone(third) ? '' : third };
}

function lower(node: GraphNode, to: Lowering): void {
  const input = node.inputs[0]!;
  const old = node.op === 'Upsample' || to.opset < 11;
  const mode: ResizeModeName = choice(
    ResizeMode,
    'mode',
    stringAttribute(node, 'mode', 'nearest').replace(/^bilinear$/, 'linear'),
  );
  if (mode !== 'nearest') to.requireType(input, 'float32');
  const coordinates: ResizeCoordinatesName = choice(
    ResizeCoordinates,
    'coordinate transformation',
    old ? 'asymmetric' : stringAttribute(node, 'coordinate_transformation_mode', 'half_pixel'),
  );
  const nearest: ResizeNearestName = choice(
    ResizeNearest,
    'nearest mode',
    old ? 'simple' : stringAttribute(node, 'nearest_mode', 'round_prefer_floor'),
  );
  const policy: ResizePolicyName = choice(
    ResizePolicy,
    'policy',
    stringAttribute(node, 'keep_aspect_ratio_policy', 'stretch'),
  );
  const given = givenOf(node, to);
  if (given.sizes !== '') given.scales = '';
  let axes = axesOf(intsAttribute(node, 'axes'), to.rank(input));
  const scales = to.constantFloats(given.scales === '' ? undefined : given.scales);
  if (scales && coordinates !== 'tf_crop_and_resize') {
    // Axes that keep their size need no look.
    const changed = [...scales.keys()].filter((index) => scales[index] !== 1);
    given.scales = to.floats(
      `${node.name}/scales`,
      [changed.length],
      changed.map((index) => scales[index]!),
    );
    axes = changed.map((index) => axes[index]!);
  }
  const region = coordinates === 'tf_crop_and_resize' ? given.region : '';
  const inputs = [input, region, given.scales, given.sizes];
  while (inputs.at(-1) === '') inputs.pop();
  to.add('Resize', node, inputs, [node.outputs[0]!], {
    mode,
    coordinates,
    nearest,
    policy,
    antialias: intAttribute(node, 'antialias', 0) === 1,
    excludeOutside: intAttribute(node, 'exclude_outside', 0) === 1,
    cubicA: floatAttribute(node, 'cubic_coeff_a', -0.75),
    extrapolation: floatAttribute(node, 'extrapolation_value', 0),
    axes,
  });
}

/** Rows stay apart along an axis that is not resized, or to its own size. */
const rows: RowRule<'Resize'> = ({ first, has, dims, output, attributes }) => {
  if (first.kind !== 'along') return first;
  const { axes, policy } = attributes;
  const bySize = has(3) && policy === 'stretch';
  const kept = bySize && same(dims(0)[first.axis]!, output[first.axis]!);
  return kept || !axes.includes(first.axis) ? first : undefined;
};

/** Axis by axis, the last first. */
function passes({ attributes, inputs, outputs, dtypes }: NodeAt<'Resize'>): {
  work: Work[];
  left: number[];
} {
  const dims = [...inputs[0]!];
  const output = outputs[0]!;
  const { mode, antialias, axes } = attributes;
  const bytes = dtypeBytes(dtypes[0]!);
  const left: number[] = [];
  let table = 0;
  let instructions = 0;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    const [own, wanted] = [dims[axis]!, output[axis]!];
    if (own === wanted || !axes.includes(axis)) continue;
    const reach = Math.max(1, own / Math.max(1, wanted)) * (mode === 'linear' ? 1 : 2);
    const taps =
      mode === 'nearest' ? 1 : antialias ? 2 * Math.ceil(reach) + 1 : mode === 'linear' ? 2 : 4;
    dims[axis] = wanted;
    const count = elementCount(dims);
    const inner = elementCount(dims.slice(axis + 1));
    const rowCount = count / Math.max(1, inner);
    instructions += wanted * (60 + 30 * taps);
    table = Math.max(table, wanted * (mode === 'nearest' ? 4 : 4 * (taps + 2)));
    left.push(count * bytes);
    if (mode === 'nearest') {
      instructions += inner * bytes === 4 ? rowCount * 16 : rowCount * (45 + (inner * bytes) / 12);
    } else if (inner === 1) instructions += rowCount * (25 + 14 * taps);
    else instructions += rowCount * 40 + Math.ceil(inner / 4) * rowCount * (12 + 9 * taps);
  }
  left.pop();
  return { work: plainWork(instructions + 500), left: [table, ...left].slice(0, 3) };
}

const limits = 'float32 for other modes than nearest';

export const resizeFamily: OperatorFamily = {
  model: {
    Resize: { shape: resizeShape, lower, types: ['any'], limits },
    Upsample: { shape: upsampleShape, lower, types: ['any'], limits },
  },
  program: {
    Resize: {
      rows,
      sizeInputs: [2, 3],
      work: (node) => passes(node).work,
      temporaries: (node) => passes(node).left,
    },
  },
};
