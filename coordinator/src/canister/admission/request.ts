import {
  CanisterError,
  maxBatchesOfRun,
  rowCount,
  type BundleTensor,
  type RequestNumber,
} from '@canopy/protocol';
import { isAnonymous } from '../access/policy.js';
import { readBundle } from '../bytes/bundle-reader.js';
import type { Coordinator } from '../coordinator.js';
import { CoordinatorError, readInput } from '../error.js';
import type { PrincipalLike } from '../ic/ic.js';
import type { Model } from '../registry/models.js';
import { admitInputs } from './inputs.js';

/** A request that may be handed to workers. */
export interface AdmittedRequest {
  model: Model;
  /** In the order in which the head takes them. */
  tensors: BundleTensor[];
  /** Seconds it may take, as the head is told; 0 where the caller does not say. */
  deadlineSeconds: number;
  /** Instructions it will take. */
  predicted: number;
}

/**
 * Checks all that does not need workers: the canister's cycles, the caller's quota, the model, the inputs. Changes nothing. Throws
 * {@link CoordinatorError}.
 */
export function admitRequest(
  { cycles, models, usage }: Coordinator,
  caller: PrincipalLike,
  modelName: string,
  inputs: Uint8Array,
  number: RequestNumber | undefined,
): AdmittedRequest {
  cycles.require();
  checkNumber(caller, number);
  const deadlineSeconds = deadlineOf(number);
  const model = models.get(modelName);
  const tensors = readInput(() => admitInputs(model.plan, readBundle(inputs)));
  const rows = rowsOf(model, tensors);
  const predicted = model.interface.instructionsPerRow * rows;
  usage.check(caller, predicted);
  return { model, tensors, deadlineSeconds, predicted };
}

/** Rows that are independent: each costs. Without data, there may be billions of them in a short message. */
function rowsOf({ plan }: Model, tensors: readonly BundleTensor[]): number {
  if (!plan.rowsIndependent) return 1;
  const rows = readInput(() => rowCount(tensors));
  const most = maxBatchesOfRun * plan.microBatchRows;
  if (rows <= most) return rows;
  throw new CoordinatorError(
    CanisterError.tooLarge,
    `the inputs have ${rows} rows, a request may have ${most}: cut them into several`,
  );
}

/** Anonymous callers find each other's requests by their numbers: small ones are not random. */
const leastAnonymousNumber = 1n << 32n;

function checkNumber(caller: PrincipalLike, number: RequestNumber | undefined): void {
  if (number === undefined || number.id >= leastAnonymousNumber || !isAnonymous(caller)) return;
  throw new CoordinatorError(
    CanisterError.badInput,
    `request number ${number.id.toString()} is not random: another anonymous caller may take it, too; ` +
      'take 64 random bits, or call as an identity of your own',
  );
}

function deadlineOf(number: RequestNumber | undefined): number {
  const seconds = number?.deadline_seconds?.[0];
  if (seconds === 0) {
    throw new CoordinatorError(
      CanisterError.badInput,
      '"deadline_seconds" must be at least 1; leave it out to take as long as the workers are configured for',
    );
  }
  return seconds ?? 0;
}
