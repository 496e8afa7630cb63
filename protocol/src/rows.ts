import { ProtocolError } from './error.js';
import { elementCount, type BundleTensor } from './tensor-bundle.js';
import { dtypeBytes } from './dtype.js';

/** Rows of a request: dimension 0, the same in every tensor. Throws where they differ or are missing. */
export function rowCount(tensors: readonly BundleTensor[]): number {
  const rows = tensors[0]?.dims[0];
  if (rows === undefined) {
    throw new ProtocolError(
      'bad-value',
      tensors[0] ? `tensor "${tensors[0].name}" has no dimension 0 to cut` : 'no tensors to cut',
    );
  }
  for (const tensor of tensors) {
    if (tensor.dims[0] !== rows) {
      throw new ProtocolError(
        'bad-value',
        `dimension 0 must be the same in all inputs: "${tensors[0]!.name}" has ${rows}, ` +
          `"${tensor.name}" has ${String(tensor.dims[0])}`,
      );
    }
  }
  return rows;
}

/**
 * Cuts tensors into micro-batches of `rowsPerTask` rows, the last one smaller; no rows at all are one
 * micro-batch. Data are views.
 */
export function splitRows(tensors: readonly BundleTensor[], rowsPerTask: number): BundleTensor[][] {
  const rows = rowCount(tensors);
  if (rows === 0) return [[...tensors]];
  const tasks: BundleTensor[][] = [];
  for (let start = 0; start < rows; start += rowsPerTask) {
    const end = Math.min(rows, start + rowsPerTask);
    tasks.push(
      tensors.map(({ name, dtype, dims, data }) => {
        const rowBytes = elementCount(dims.slice(1)) * dtypeBytes(dtype);
        return {
          name,
          dtype,
          dims: [end - start, ...dims.slice(1)],
          data: data.subarray(start * rowBytes, end * rowBytes),
        };
      }),
    );
  }
  return tasks;
}

/** Puts micro-batches back together along dimension 0, in order. Inverse of {@link splitRows}. */
export function joinRows(tasks: readonly (readonly BundleTensor[])[]): BundleTensor[] {
  const first = tasks[0];
  if (first === undefined) throw new ProtocolError('bad-value', 'no micro-batches to join');
  if (tasks.length === 1) return [...first];
  return first.map((tensor, index) => {
    const parts = tasks.map((task) => task[index]);
    let rows = 0;
    let bytes = 0;
    for (const part of parts) {
      const same =
        part?.dtype === tensor.dtype &&
        part.dims.length === tensor.dims.length &&
        part.dims.slice(1).every((dim, axis) => dim === tensor.dims[axis + 1]);
      if (!part || !same) {
        throw new ProtocolError(
          'bad-value',
          `"${tensor.name}": micro-batches give [${tensor.dims.join(',')}] and ` +
            `[${String(part?.dims.join(','))}], which differ beyond dimension 0`,
        );
      }
      rows += part.dims[0]!;
      bytes += part.data.length;
    }
    const data = new Uint8Array(bytes);
    let at = 0;
    for (const part of parts) {
      data.set(part!.data, at);
      at += part!.data.length;
    }
    return { name: tensor.name, dtype: tensor.dtype, dims: [rows, ...tensor.dims.slice(1)], data };
  });
}
