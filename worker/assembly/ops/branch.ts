import { DType } from '../generated/constants';
import { failInput, hasInput, input, leaveOut } from '../tensor/node';
import { branchNodes, branchWhen } from './generated/attributes';
import { DONE, FAILED } from './status';

/** Whether input 0 is a condition; otherwise with a failure's text. */
export function isCondition(): bool {
  if (hasInput(0) && input(0).data != 0 && input(0).dtype == DType.bool && input(0).count() == 1) return true;
  failInput(0, 'bool of one element');
  return false;
}

export function conditionOf(): bool {
  return load<u8>(input(0).data) != 0;
}

/** Condition: leaves nodes behind it out where it is not what they are for. */
export function branch(): i32 {
  if (!isCondition()) return FAILED;
  if (conditionOf() != branchWhen()) leaveOut(branchNodes());
  return DONE;
}
