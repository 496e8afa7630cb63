import { CanisterError, OpCode } from '../generated/constants';
import { text } from '../tensor/errors';
import { failNode } from '../tensor/node';
import { conv } from './conv';
import { depthwiseConv } from './depthwise-conv';
import { linear } from './linear';
import { FAILED } from './status';

export { DONE, FAILED, YIELD } from './status';

/** Runs the node under way (`tensor/node`), or goes on with it. DONE, YIELD or FAILED. */
export function runOp(code: u32): i32 {
  switch (code) {
    case OpCode.Conv:
      return conv();
    case OpCode.DepthwiseConv:
      return depthwiseConv();
    case OpCode.Linear:
      return linear();
    default:
      failNode(CanisterError.unsupported);
      text('this worker has no such operator; use a newer worker');
      return FAILED;
  }
}
