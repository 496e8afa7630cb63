import { scale, type Dim } from '../dim.js';
import { fromFront, NotDerivable } from '../facts.js';
import { type Operation, type Rule } from '../operation.js';

/** Scales of an input, of the axes named or of all. */
function scaledDims(op: Operation, input: number, axes: readonly number[]): Dim[] {
  const dims = [...op.dims(0)];
  const scales = op.floats(input);
  axes.forEach((axis, index) => {
    dims[axis] = scale(dims[axis]!, scales[index] ?? 1);
  });
  return dims;
}

const resize: Rule = (op) => {
  const dims = op.dims(0);
  const dtype = op.dtype(0);
  const axes =
    op.ints('axes')?.map((axis) => fromFront(axis, dims.length)) ?? dims.map((_, axis) => axis);
  if (op.string('keep_aspect_ratio_policy', 'stretch') !== 'stretch') {
    throw new NotDerivable('it keeps the aspect ratio');
  }
  if (op.string('coordinate_transformation_mode', '') === 'tf_crop_and_resize') {
    throw new NotDerivable('it crops');
  }
  if (op.opset < 11) return [{ dtype, dims: scaledDims(op, 1, axes) }];
  if (!op.has(3)) return [{ dtype, dims: scaledDims(op, 2, axes) }];
  const sizes = op.facts(3).values;
  const result = [...dims];
  axes.forEach((axis, index) => {
    result[axis] = sizes?.[index] ?? op.open(0, axis);
  });
  return [{ dtype, dims: result }];
};

/** Resize of before operator set 10; scales as an attribute until operator set 8. */
const upsample: Rule = (op) => {
  const given = op.attribute('scales');
  const dims = op.dims(0);
  const axes = dims.map((_, axis) => axis);
  if (given?.kind !== 'floats') return [{ dtype: op.dtype(0), dims: scaledDims(op, 1, axes) }];
  return [{ dtype: op.dtype(0), dims: dims.map((dim, axis) => scale(dim, given.value[axis]!)) }];
};

export const resizing: Record<string, Rule> = { Resize: resize, Upsample: upsample };
