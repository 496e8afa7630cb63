import { elementCount } from '@canopy/protocol';
import type { NodeAt } from '../../operators/operator.js';
import { activationWork } from './elementwise.js';
import { lanesWork, panelWidths, productWork } from './gemm.js';
import { stridedWork } from './strided.js';
import type { Work } from './work.js';

/** Products of computed matrices: the right one is packed into panels first. */
export function matMulWork({ attributes, inputs, outputs }: NodeAt<'MatMul'>): Work[] {
  const { transA, transB, alpha } = attributes;
  const [a, b] = inputs as [readonly number[], readonly number[]];
  const output = outputs[0]!;
  const depth = a.at(transA ? -2 : -1)!;
  const columns = b.length === 1 ? 1 : output.at(-1)!;
  const shared = b.length <= 2 && !transA;
  const count = elementCount(output);
  if (count === 0) return [];
  const rows = shared ? count / columns : a.length === 1 ? 1 : a.at(transA ? -1 : -2)!;
  const batches = count / (rows * columns);
  const each: Work[] = [{ kernel: 'product', counts: { product: 1 } }];
  if (rows <= 2 && transB) {
    // Four rows of the right matrix at a time, 16 numbers of each.
    const groups = rows * Math.floor(columns / 4);
    const counts = {
      group: groups,
      turn: groups * Math.floor(depth / 16),
      rest: groups * (depth % 16),
      single: rows * (columns % 4) * depth,
      row: rows,
    };
    each.push({ kernel: 'dot', counts });
  } else if (rows <= 2) {
    const counts = {
      multiplyAdd4: rows * depth * Math.ceil(columns / 4),
      spread: rows * depth,
      column4: rows * Math.ceil(columns / 4),
      row: rows,
    };
    each.push({ kernel: 'rowTimesMatrix', counts });
  } else {
    const panels = Math.ceil(columns / 16);
    each.push(...productWork(rows, depth, columns));
    each.push({ kernel: 'packedPanel', counts: { panel: panels } });
    if (transB) each.push(...stridedWork([depth, columns], [1, depth], 'float32'));
    else {
      for (const { vectors, panels: count } of panelWidths(columns)) {
        each.push(
          lanesWork(
            count * depth,
            count > 1 || columns % 16 === 0 ? 16 : columns % 16 || vectors * 4,
          ),
        );
      }
    }
  }
  if (transA) each.push(...stridedWork([rows, depth], [1, rows], 'float32'));
  if (alpha !== 1) each.push(...activationWork('affine', rows * columns, false));
  return each.map(({ kernel, counts }) => ({
    kernel,
    counts: Object.fromEntries(
      Object.entries(counts).map(([name, count]) => [name, count * batches]),
    ),
  }));
}
