import {
  ResultStatus,
  decodeResult,
  stageTraceBytes,
  type Result,
  type StageTrace,
} from '@canopy/protocol';

/** Bytes before the first task: status, request id, number of tasks. */
const headBytes = 16;

/**
 * Reads what became of a request as `decodeResult` does; a result that is done, the most frequent and
 * the longest, at a fraction of its instructions. Throws what that throws where it is malformed.
 */
export function readResult(bytes: Uint8Array): Result {
  return readDone(bytes) ?? decodeResult(bytes);
}

/** Undefined where the result is another one, or malformed. */
function readDone(bytes: Uint8Array): Result | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < headBytes || view.getUint32(0, true) !== ResultStatus.done) return undefined;
  const count = view.getUint32(12, true);
  const tasks: { traces: StageTrace[]; bundle: Uint8Array }[] = [];
  let at = headBytes;
  for (let index = 0; index < count; index++) {
    if (at + 8 > bytes.length) return undefined;
    const tracesAt = at + 4;
    const tracesEnd = tracesAt + view.getUint32(at, true) * stageTraceBytes;
    if (tracesEnd + 4 > bytes.length) return undefined;
    const traces: StageTrace[] = [];
    for (let traceAt = tracesAt; traceAt < tracesEnd; traceAt += stageTraceBytes) {
      traces.push(traceOf(view, traceAt));
    }
    const bundleAt = tracesEnd + 4;
    at = bundleAt + view.getUint32(tracesEnd, true);
    if (at > bytes.length) return undefined;
    tasks.push({ traces, bundle: bytes.subarray(bundleAt, at) });
  }
  return { status: 'done', requestId: view.getBigUint64(4, true), tasks };
}

function traceOf(view: DataView, at: number): StageTrace {
  return {
    instructions: view.getBigUint64(at, true),
    messages: view.getUint32(at + 8, true),
    bytesReceived: view.getUint32(at + 12, true),
    bytesSent: view.getUint32(at + 16, true),
    scratchBytes: view.getUint32(at + 20, true),
  };
}
