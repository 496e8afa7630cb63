import { IDL } from '@dfinity/candid';
import { coordinatorIdl, type CoordinatorActor } from '@canopy/protocol';
import type { Answer } from '../ic/round-ic.js';

const service = coordinatorIdl({ IDL }) as { _fields: [string, IDL.FuncClass][] };
const infer = service._fields.find(([name]) => name === 'infer')![1];

/** Argument of the coordinator's `infer`. */
export function inferArgument(model: string, bundle: Uint8Array): Uint8Array {
  return IDL.encode(infer.argTypes, [model, bundle]);
}

/** Outcome of `infer`: outputs, the code of a refusal, or a result that waits to be fetched. */
export type InferAnswer =
  | { kind: 'outputs'; bundle: Uint8Array; stages: { bytesSent: number }[] }
  | { kind: 'ticket'; ticket: bigint }
  | { kind: 'error'; code: string; message: string };

export function readInferAnswer(answer: Answer): InferAnswer {
  if (answer.kind === 'reject') {
    return { kind: 'error', code: `reject-${answer.code}`, message: answer.message };
  }
  type Reply = Awaited<ReturnType<CoordinatorActor['infer']>>;
  const reply = IDL.decode(infer.retTypes, answer.reply)[0] as unknown as Reply;
  if ('err' in reply) return { kind: 'error', code: reply.err.code, message: reply.err.message };
  if ('ticket' in reply) return { kind: 'ticket', ticket: reply.ticket };
  const stages = reply.ok.stages.map((stage) => ({ bytesSent: Number(stage.bytes_sent) }));
  return { kind: 'outputs', bundle: Uint8Array.from(reply.ok.outputs), stages };
}
