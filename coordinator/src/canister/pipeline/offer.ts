import { CanisterError } from '@canopy/protocol';
import { CoordinatorError } from '../error.js';
import type { Ic } from '../ic/ic.js';
import type { Model, Pipeline } from '../registry/models.js';
import { callWorker } from './call-worker.js';
import { isAway } from './waiting.js';

/** What a head answers of a request that no other would take either. */
const ofTheRequest = new Set<string>([
  CanisterError.badInput.code,
  CanisterError.badMessage.code,
  CanisterError.tooLarge.code,
  CanisterError.unsupported.code,
]);

/**
 * Notes that a pipeline did not take a request: one that is full still answers, others are avoided by
 * later requests until they answer again. Whether another pipeline may take it.
 */
export function noteRefusal(
  model: Model,
  pipeline: Pipeline,
  { kind: { code } }: CoordinatorError,
  nowNs: bigint,
): boolean {
  const isOfRequest = ofTheRequest.has(code);
  if (isOfRequest || code === CanisterError.busy.code) model.answers(pipeline);
  else model.fails(pipeline, nowNs);
  return !isOfRequest;
}

/** Of what several pipelines said, an error after which trying again may help, if there is one, else the last. */
export function moreHelpful(
  before: CoordinatorError | undefined,
  error: CoordinatorError,
): CoordinatorError {
  return before?.kind.retryable ? before : error;
}

/** The pipeline that took a request, and the reply of its head. */
export interface Taken {
  pipeline: Pipeline;
  reply: Uint8Array;
}

/** Why no pipeline took a request: what helps most of what they said. */
export interface Refused {
  refusal: CoordinatorError;
  /** Whether one of them may take it a little later. */
  mayPass: boolean;
}

/**
 * Hands a request to the first of a model's pipelines that takes it. One that is full is passed over, and
 * so is one that fails. Throws what is wrong with the request.
 */
export async function offer(ic: Ic, model: Model, request: Uint8Array): Promise<Taken | Refused> {
  let refusal: CoordinatorError | undefined;
  let mayPass = false;
  for (const pipeline of model.inTurn(ic.now())) {
    try {
      const reply = await callWorker(ic, pipeline[0]!, 0, 'enqueue', request);
      model.answers(pipeline);
      return { pipeline, reply };
    } catch (error) {
      if (!(error instanceof CoordinatorError)) throw error;
      if (!noteRefusal(model, pipeline, error, ic.now())) throw error;
      refusal = moreHelpful(refusal, error);
      mayPass ||= isAway(error);
    }
  }
  return { refusal: refusal!, mayPass: mayPass && refusal!.kind.retryable };
}
