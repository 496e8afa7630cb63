import { IDL } from '@dfinity/candid';
import {
  coordinatorIdl,
  decodeBundle,
  decodeResult,
  joinRows,
  parseCanisterError,
  type BundleTensor,
  type CoordinatorActor,
  type FetchResult,
  type Plan,
  type Result,
} from '@canopy/protocol';
import type { BenchIc, PendingCall } from '../ic/round-ic.js';

const service = coordinatorIdl({ IDL }) as { _fields: [string, IDL.FuncClass][] };
const methods = new Map(service._fields);
const infer = methods.get('infer')!;
const fetch = methods.get('fetch')!;
const release = methods.get('release')!;

/** Outcome of an inference. */
export type InferAnswer =
  | { kind: 'outputs'; bundle: Uint8Array; bytesSent: number[] }
  /** The call ended before the request did, or its result was too large: it was fetched. */
  | { kind: 'fetched'; ticket: bigint; tasks: Extract<Result, { status: 'done' }>['tasks'] }
  | { kind: 'error'; code: string; message: string };

export interface Inference {
  caller: string;
  coordinator: string;
  model: string;
  bundle: Uint8Array;
}

/** Bytes each stage sent on for a request. */
export function sentByStage(answer: InferAnswer): number[] {
  if (answer.kind === 'error') return [];
  if (answer.kind === 'outputs') return answer.bytesSent;
  const stages = answer.tasks[0]?.traces ?? [];
  return stages.map((_, stage) =>
    answer.tasks.reduce((sum, task) => sum + task.traces[stage]!.bytesSent, 0),
  );
}

/** Output tensors of an answer, named as the plan names them; none of an error. */
export function outputsOf(plan: Plan, answer: InferAnswer): BundleTensor[] {
  if (answer.kind === 'outputs') return decodeBundle(answer.bundle);
  if (answer.kind === 'error') return [];
  const tensors = joinRows(answer.tasks.map((task) => decodeBundle(task.bundle)));
  return tensors.map((tensor, index) => ({ ...tensor, name: plan.outputs[index]!.name }));
}

/**
 * Sends `infer` to the coordinator. Where that gives a ticket, the result is looked for by query after
 * each round and released when it is there, as `CanopySession` does.
 */
export async function sendInference(
  ic: BenchIc,
  { caller, coordinator, model, bundle }: Inference,
): Promise<PendingCall<InferAnswer>> {
  const arg = IDL.encode(infer.argTypes, [model, bundle, []]);
  const call = await ic.submit(caller, coordinator, 'infer', arg);
  let ticket: bigint | undefined;
  return {
    async poll() {
      if (ticket === undefined) {
        const answer = await call.poll();
        if (!answer) return undefined;
        if (answer.kind === 'reject') {
          return { kind: 'error', code: `reject-${answer.code}`, message: answer.message };
        }
        type Reply = Awaited<ReturnType<CoordinatorActor['infer']>>;
        const reply = IDL.decode(infer.retTypes, answer.reply)[0] as unknown as Reply;
        if ('err' in reply) return { kind: 'error', ...reply.err };
        if ('ok' in reply) {
          const bytesSent = reply.ok.stages.map((stage) => Number(stage.bytes_sent));
          return { kind: 'outputs', bundle: Uint8Array.from(reply.ok.outputs), bytesSent };
        }
        ticket = reply.ticket;
      }
      const answer = await fetchResult(ic, caller, coordinator, ticket);
      if (answer) {
        await ic.submit(caller, coordinator, 'release', IDL.encode(release.argTypes, [ticket]));
      }
      return answer;
    },
  };
}

async function fetchResult(
  ic: BenchIc,
  caller: string,
  coordinator: string,
  ticket: bigint,
): Promise<InferAnswer | undefined> {
  const parts: Uint8Array[] = [];
  for (let offset = 0, total = 1; offset < total;) {
    const arg = IDL.encode(fetch.argTypes, [ticket, offset]);
    const bytes = await ic.query(caller, coordinator, 'fetch', arg);
    const reply = IDL.decode(fetch.retTypes, bytes)[0] as unknown as FetchResult;
    if ('err' in reply) return { kind: 'error', ...reply.err };
    if ('pending' in reply) return undefined;
    parts.push(Uint8Array.from(reply.part.bytes));
    offset += reply.part.bytes.length;
    total = reply.part.total;
  }
  const result = decodeResult(new Uint8Array(Buffer.concat(parts)));
  if (result.status === 'done') return { kind: 'fetched', ticket, tasks: result.tasks };
  const message = result.status === 'failed' ? result.text : `a result says "${result.status}"`;
  const known = parseCanisterError(message);
  return { kind: 'error', code: known?.code ?? 'failed', message: known?.message ?? message };
}
