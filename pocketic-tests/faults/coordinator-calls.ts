/** Calls of the coordinator's methods, and what they are answered with. */
import { IDL } from '@dfinity/candid';
import {
  coordinatorIdl,
  decodeBundle,
  decodeResult,
  joinRows,
  type BundleTensor,
  type CoordinatorErrorRecord,
  type FetchResult,
  type RequestNumber,
  type StageRecord,
} from '@canopy/protocol';
import type { Call } from './network.js';

const service = coordinatorIdl({ IDL }) as { _fields: [string, IDL.FuncClass][] };
export const coordinatorMethods: Readonly<Record<string, IDL.FuncClass>> = Object.fromEntries(
  service._fields,
);

export function coordinatorCall(canister: string, method: string, args: unknown[]): Call {
  return { canister, method, arg: IDL.encode(coordinatorMethods[method]!.argTypes, args) };
}
function decode(method: string, reply: Uint8Array): unknown {
  return IDL.decode(coordinatorMethods[method]!.retTypes, reply)[0];
}

type Err = { err: CoordinatorErrorRecord };
export type AskReply =
  | Err
  | { ticket: bigint }
  | { ok: bigint | { outputs: Uint8Array | number[]; stages: StageRecord[] } };

export const decodeAsked = (method: 'infer' | 'submit', reply: Uint8Array): AskReply =>
  decode(method, reply) as AskReply;
export const decodeFetched = (reply: Uint8Array): FetchResult =>
  decode('fetch', reply) as FetchResult;
export const decodeMetrics = (reply: Uint8Array): { in_flight: number; failed: bigint } =>
  decode('metrics', reply) as { in_flight: number; failed: bigint };

export function numberArgument(number: RequestNumber | undefined): unknown[] {
  return number === undefined ? [] : [{ deadline_seconds: [], ...number }];
}

/** Outputs as one text: names, types, shapes and bits. */
export function fingerprint(tensors: readonly BundleTensor[]): string {
  return tensors
    .map(({ name, dtype, dims, data }) => {
      const bits = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex');
      return `${name} ${dtype}[${dims.join()}] ${bits}`;
    })
    .sort()
    .join('\n');
}

/** Outputs that `infer` gave at once. */
export function answeredOutputs(bytes: Uint8Array | number[]): string {
  return fingerprint(decodeBundle(Uint8Array.from(bytes)));
}

/** Outputs of a fetched result, or why the request failed: `[code] text`. */
export function fetchedOutputs(
  bytes: Uint8Array,
  names: readonly string[],
): { tensors: BundleTensor[] } | { failure: string } {
  const result = decodeResult(bytes);
  if (result.status === 'failed') return { failure: result.text };
  if (result.status !== 'done') throw new Error(`a fetched result has status ${result.status}`);
  const tensors = joinRows(result.tasks.map(({ bundle }) => decodeBundle(bundle)));
  return { tensors: tensors.map((one, at) => ({ ...one, name: names[at] ?? '?' })) };
}
