import {
  decodeBundle,
  decodeResult,
  joinRows,
  parseCanisterError,
  type BundleTensor,
  type Plan,
  type StageTrace,
} from '@canopy/protocol';
import type { CoordinatorClient, StageDetail } from '../coordinator-client.js';
import { CanopyError } from '../errors.js';
import type { Transport } from '../transport/transport.js';
import { isLong } from './expected-rounds.js';

/** What came of one request. */
export interface RequestOutcome {
  outputs: BundleTensor[];
  microBatches: number;
  stages: StageDetail[];
  bytesReceived: number;
}

export interface RunTarget {
  transport: Transport;
  coordinator: CoordinatorClient;
  model: string;
  plan: Plan;
  workers: readonly string[];
  /** Fetch parts of large results by update calls, agreed by consensus, instead of queries. */
  certified: boolean;
}

/**
 * Sends one request and waits for its result. Where that takes many rounds, or where the result is
 * large, the coordinator gives a ticket by which the result is fetched in parts.
 */
export async function runRequest(target: RunTarget, inputs: Uint8Array): Promise<RequestOutcome> {
  const { coordinator, model, plan } = target;
  if (isLong(plan, inputs)) return claim(target, await coordinator.submit(model, inputs));
  const reply = await coordinator.infer(model, inputs);
  if (reply.kind === 'ticket') return claim(target, reply.ticket);
  const { outputs, microBatches, stages } = reply;
  return { outputs: decodeBundle(outputs), microBatches, stages, bytesReceived: outputs.length };
}

/** Waits for the result of a ticket, and gives the ticket back. */
async function claim(target: RunTarget, ticket: bigint): Promise<RequestOutcome> {
  const outcome = readFetched(target, await fetchAll(target, ticket));
  await target.coordinator.release(ticket);
  return outcome;
}

/** Looks for the result by query, which costs no round; takes it as the session asks for. */
async function fetchAll(target: RunTarget, ticket: bigint): Promise<Uint8Array> {
  let whole: Uint8Array | undefined;
  let offset = 0;
  let certified = false;
  for (let delay = 50; whole === undefined || offset < whole.length;) {
    const reply = await target.coordinator.fetch(ticket, offset, certified);
    if ('pending' in reply) {
      await target.transport.wait(delay);
      delay = Math.min(1000, delay * 2);
      continue;
    }
    if (target.certified && !certified) {
      certified = true;
      continue;
    }
    const part = Uint8Array.from(reply.part.bytes);
    whole ??= new Uint8Array(reply.part.total);
    whole.set(part, offset);
    offset += part.length;
    if (part.length === 0) break;
  }
  return whole;
}

function readFetched(target: RunTarget, bytes: Uint8Array): RequestOutcome {
  const result = decodeResult(bytes);
  if (result.status === 'failed') {
    const known = parseCanisterError(result.text);
    throw new CanopyError(
      known?.code ?? 'internal',
      `stage ${result.stage} (worker ${workersOf(target)[result.stage] ?? unknownWorker}): ` +
        (known?.message ?? result.text),
      known?.retryable,
    );
  }
  if (result.status !== 'done') {
    throw new CanopyError('internal', `a fetched result says "${result.status}"`);
  }
  const names = target.plan.stages[target.plan.stages.length - 1]!.outputs;
  const outputs = joinRows(result.tasks.map((task) => decodeBundle(task.bundle)));
  return {
    outputs: outputs.map((tensor, index) => ({ ...tensor, name: names[index] ?? '' })),
    microBatches: result.tasks.length,
    stages: sumTraces(
      result.tasks.map((task) => task.traces),
      workersOf(target),
    ),
    bytesReceived: bytes.length,
  };
}

/** What {@link StageDetail} says of a worker that is not known. */
const unknownWorker = 'unknown';

/** Workers of the stages; none where a ticket does not tell which of several pipelines it is of. */
function workersOf({ plan, workers }: RunTarget): readonly string[] {
  return workers.length === plan.stages.length ? workers : [];
}

function sumTraces(
  tasks: readonly (readonly StageTrace[])[],
  workers: readonly string[],
): StageDetail[] {
  const perTask = tasks.map((traces) =>
    traces.map(({ instructions, messages, bytesReceived, bytesSent, scratchBytes }, stage) => ({
      worker: workers[stage] ?? unknownWorker,
      instructions,
      messages,
      bytesReceived: BigInt(bytesReceived),
      bytesSent: BigInt(bytesSent),
      scratchBytes,
    })),
  );
  return addStages(perTask);
}

/** Adds up what the stages did for several micro-batches or requests, stage by stage. */
export function addStages(lists: readonly (readonly StageDetail[])[]): StageDetail[] {
  const totals: StageDetail[] = [];
  for (const list of lists) {
    list.forEach((stage, index) => {
      const total = (totals[index] ??= {
        worker: stage.worker,
        instructions: 0n,
        messages: 0,
        bytesReceived: 0n,
        bytesSent: 0n,
        scratchBytes: 0,
      });
      total.instructions += stage.instructions;
      total.messages += stage.messages;
      total.bytesReceived += stage.bytesReceived;
      total.bytesSent += stage.bytesSent;
      total.scratchBytes = Math.max(total.scratchBytes, stage.scratchBytes);
    });
  }
  return totals;
}
