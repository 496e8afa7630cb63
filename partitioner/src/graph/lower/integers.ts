import { int8MatrixBytes, packInt8 } from '@canopy/protocol';
import { constantBytes, type Constant } from '../constant.js';
import type { GraphNode } from '../graph.js';
import { Compute } from './compute.js';
import type { Lowering } from './lowering.js';

/**
 * Constant bytes as kernels of integer products read them: for each group a packed matrix [k, n]. Bytes without
 * a sign are stored less 128.
 *
 * @param indexOf place of a number in the constant
 */
export function packedIntegers(
  constant: Constant,
  groups: number,
  k: number,
  n: number,
  indexOf: (group: number, k: number, n: number) => number,
): Constant {
  const groupBytes = int8MatrixBytes(k, n);
  const shift = constant.dtype === 'uint8' ? 128 : 0;
  const pack = (): Uint8Array => {
    const source = constant.read(0, constantBytes(constant));
    const bytes =
      shift > 0 ? source : new Int8Array(source.buffer, source.byteOffset, source.length);
    const packed = new Uint8Array(groupBytes * groups);
    for (let group = 0; group < groups; group++) {
      const matrix = packInt8(k, n, (row, column) => bytes[indexOf(group, row, column)]! - shift);
      packed.set(new Uint8Array(matrix.buffer), group * groupBytes);
    }
    return packed;
  };
  let known: WeakRef<Uint8Array> | undefined;
  return {
    dtype: 'int8',
    dims: [groupBytes * groups],
    read: (start, length) => {
      let packed = known?.deref();
      if (!packed) {
        packed = pack();
        known = new WeakRef(packed);
      }
      return packed.subarray(start, start + length);
    },
  };
}

/** What sums are multiplied by: `left * right`, over `result` where it is given; constants where all are. */
export function factorsOf(
  node: GraphNode,
  to: Lowering,
  left: string,
  right: string,
  result?: string,
): string {
  const [a, b, c] = [left, right, result].map((name) => to.constantFloats(name));
  if (a && b && (c ?? result === undefined)) {
    const count = Math.max(a.length, b.length);
    const at = (values: Float32Array, i: number): number => values[values.length === 1 ? 0 : i]!;
    const values = Array.from({ length: count }, (_, i) => {
      const product = Math.fround(at(a, i) * at(b, i));
      return c ? product / at(c, i) : product;
    });
    return to.floats(`${node.name}/factors`, count === 1 ? [] : [count], values);
  }
  const compute = new Compute(node, to);
  const product = compute.binary('mul', left, right);
  return result === undefined ? product : compute.binary('div', product, result);
}

/**
 * Factors of sums, `left * right`; where only those of the right are constants, and the left is one number, the
 * product is left to the node.
 */
export function scalesOf(
  node: GraphNode,
  to: Lowering,
  left: string,
  right: string,
): { factors: string; scale?: string } {
  const isOne = to.dims(left).every((dim) => dim === 1);
  if (isOne && to.constantFloats(right) && !to.constantFloats(left)) {
    return { factors: right, scale: left };
  }
  return { factors: factorsOf(node, to, left, right) };
}
