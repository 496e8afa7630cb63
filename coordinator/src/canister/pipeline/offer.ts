import { CanisterError } from '@canopy/protocol';
import { CoordinatorError } from '../error.js';
import type { Ic } from '../ic/ic.js';
import type { Model, Pipeline } from '../registry/models.js';
import { callWorker } from './call-worker.js';

/** What a head answers of a request that no other would take either. */
const ofTheRequest = new Set<string>([
  CanisterError.badInput.code,
  CanisterError.badMessage.code,
  CanisterError.tooLarge.code,
  CanisterError.unsupported.code,
]);

/**
 * Hands a request to the first of a model's pipelines that takes it. One that is full is passed over, and
 * so is one that fails, which later requests avoid until it answers again. Where all refuse, an error is
 * thrown after which trying again may help, if there is one, else the last.
 */
export async function offer(
  ic: Ic,
  model: Model,
  request: Uint8Array,
): Promise<{ pipeline: Pipeline; reply: Uint8Array }> {
  let refusal: CoordinatorError | undefined;
  for (const pipeline of model.inTurn(ic.now())) {
    try {
      const reply = await callWorker(ic, pipeline[0]!, 0, 'enqueue', request);
      model.answers(pipeline);
      return { pipeline, reply };
    } catch (error) {
      if (!(error instanceof CoordinatorError)) throw error;
      const { code } = error.kind;
      if (ofTheRequest.has(code)) {
        model.answers(pipeline);
        throw error;
      }
      if (code === CanisterError.busy.code) model.answers(pipeline);
      else model.fails(pipeline, ic.now());
      if (!refusal?.kind.retryable) refusal = error;
    }
  }
  throw refusal!;
}
