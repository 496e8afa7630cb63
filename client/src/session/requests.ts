import {
  CanisterError,
  ProtocolError,
  encodeBundle,
  maxMessageBytes,
  rowCount,
  splitRows,
  type BundleTensor,
  type ModelInterface,
} from '@canopy/protocol';
import { CanopyError } from '../errors.js';

/** Bytes an encoded bundle takes besides its data, at most: header, name, dimensions, alignment. */
const overheadPerTensor = 512;

/**
 * Cuts feeds into requests of whole micro-batches that each fit a message, where the model's rows are
 * independent; else they are one request. Throws `too-large` where one cannot be cut far enough,
 * `bad-feeds` where the tensors are not consistent.
 */
export function cutIntoRequests(
  model: ModelInterface,
  tensors: readonly BundleTensor[],
  limit = maxMessageBytes,
): Uint8Array[] {
  try {
    return cut(model, tensors, limit);
  } catch (error) {
    if (error instanceof ProtocolError) throw new CanopyError('bad-feeds', error.message);
    throw error;
  }
}

function cut(model: ModelInterface, tensors: readonly BundleTensor[], limit: number): Uint8Array[] {
  const total = tensors.reduce((sum, { data }) => sum + data.length + overheadPerTensor, 0);
  if (total <= limit) return [encodeBundle(tensors)];
  if (model.rowsIndependent) {
    const rows = rowCount(tensors);
    const dataBytes = total - overheadPerTensor * tensors.length;
    const most = Math.floor((limit - overheadPerTensor * tensors.length) / (dataBytes / rows));
    const wholeBatches = Math.floor(most / model.microBatchRows) * model.microBatchRows;
    const rowsPerRequest = wholeBatches > 0 ? wholeBatches : most;
    if (rowsPerRequest > 0) return splitRows(tensors, rowsPerRequest).map(encodeBundle);
  }
  throw new CanopyError(
    CanisterError.tooLarge.code,
    `the feeds take ${total} bytes, a message holds ${limit}, and ` +
      (model.rowsIndependent
        ? 'a single row is larger than that'
        : 'the rows of this model depend on each other, so they cannot be cut'),
  );
}
