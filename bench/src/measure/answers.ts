import { joinRows, type BundleTensor, type Plan } from '@canopy/protocol';
import type { LoadLog } from '../load/run-load.js';
import type { BenchModel } from '../models/catalogue.js';
import { firstDifference } from '../reference.js';
import { outputsOf, type InferAnswer } from './request.js';

/** Inputs of a request of so many rows; each request has its own. */
export function inputsOf(model: BenchModel, batch: number, request: number): BundleTensor[] {
  return joinRows(Array.from({ length: batch }, (_, row) => model.input(request * batch + row)));
}

export interface AnswerCheck {
  plan: Plan;
  inputs: (request: number) => BundleTensor[];
  /** Outputs that inputs should give. */
  expected: (inputs: readonly BundleTensor[]) => Promise<BundleTensor[]>;
}

/**
 * Says which request failed or was answered wrongly; undefined where none was. Requests have inputs of
 * their own, so an answer that went to another request is found too.
 */
export async function firstWrongAnswer(
  answers: LoadLog<InferAnswer>['answers'],
  { plan, inputs, expected }: AnswerCheck,
): Promise<string | undefined> {
  for (const { index, answer } of answers) {
    if (answer.kind === 'error') {
      return `request ${index} failed: [${answer.code}] ${answer.message}`;
    }
    const wanted = await expected(inputs(index));
    const difference = firstDifference(outputsOf(plan, answer), wanted);
    if (difference !== undefined) return `the answer to request ${index} is wrong: ${difference}`;
  }
  return undefined;
}
