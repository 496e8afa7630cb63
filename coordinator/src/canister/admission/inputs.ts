import { CanisterError, type BundleTensor, type Plan, type TensorSpec } from '@canopy/protocol';
import { CoordinatorError } from '../error.js';

/** `float32[batch,3,224,224]` */
function describe(tensor: { dtype: string; dims: readonly (number | string)[] }): string {
  return `${tensor.dtype}[${tensor.dims.join(',')}]`;
}

function refuse(message: string): never {
  throw new CoordinatorError(CanisterError.badInput, message);
}

function checkTensor(
  spec: TensorSpec,
  given: BundleTensor,
  open: Map<string, { size: number; tensor: string }>,
): void {
  const refuseBecause = (reason: string): never =>
    refuse(`input "${spec.name}": expected ${describe(spec)}, given ${describe(given)}: ${reason}`);
  if (given.dtype !== spec.dtype) refuseBecause(`the type must be ${spec.dtype}`);
  if (given.dims.length !== spec.dims.length) {
    refuseBecause(`it must have ${spec.dims.length} dimensions, not ${given.dims.length}`);
  }
  for (let axis = 0; axis < spec.dims.length; axis++) {
    const expected = spec.dims[axis]!;
    const size = given.dims[axis]!;
    if (typeof expected === 'number') {
      if (size !== expected) refuseBecause(`dimension ${axis} must be ${expected}, not ${size}`);
      continue;
    }
    const bound = open.get(expected);
    if (bound === undefined) open.set(expected, { size, tensor: spec.name });
    else if (bound.size !== size) {
      refuseBecause(
        `dimension ${axis} ("${expected}") is ${size}, but ${bound.size} in "${bound.tensor}"`,
      );
    }
  }
}

/**
 * Checks a request against its plan: every input is there once, has the planned type and shape, and
 * open dimensions of one name have one size. Gives the tensors in the order the head takes them.
 * Throws {@link CoordinatorError} `bad-input` that names tensor, expected and given.
 */
export function admitInputs(plan: Plan, tensors: readonly BundleTensor[]): BundleTensor[] {
  const byName = new Map<string, BundleTensor>();
  for (const tensor of tensors) byName.set(tensor.name, tensor);
  if (byName.size !== tensors.length) refuse('an input is given twice');
  const open = new Map<string, { size: number; tensor: string }>();
  for (const spec of plan.inputs) {
    const given = byName.get(spec.name);
    if (given === undefined) refuseNames(plan, tensors, spec);
    else checkTensor(spec, given, open);
  }
  if (tensors.length > plan.inputs.length) refuseNames(plan, tensors);
  return plan.stages[0]!.inputs.map((name) => byName.get(name)!);
}

/** Says which input is unknown, or that `missing` is not given. */
function refuseNames(plan: Plan, tensors: readonly BundleTensor[], missing?: TensorSpec): void {
  const names = plan.inputs.map((spec) => `"${spec.name}"`).join(', ');
  for (const { name } of tensors) {
    if (!plan.inputs.some((spec) => spec.name === name)) {
      refuse(`input "${name}" is unknown; the model takes ${names}`);
    }
  }
  if (missing !== undefined) {
    refuse(`input "${missing.name}" ${describe(missing)} is missing; the model takes ${names}`);
  }
}
