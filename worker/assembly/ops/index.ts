import { CanisterError, OpCode } from '../generated/constants';
import { text } from '../tensor/errors';
import { failNode } from '../tensor/node';
import { binary } from './binary';
import { cast } from './cast';
import { conv } from './conv';
import { depthwiseConv } from './depthwise-conv';
import { layerNorm } from './layer-norm';
import { linear } from './linear';
import { softmax } from './softmax';
import { FAILED } from './status';
import { unary } from './unary';

export { DONE, FAILED, YIELD } from './status';

/** Runs the node under way (`tensor/node`), or goes on with it. DONE, YIELD or FAILED. */
export function runOp(code: u32): i32 {
  switch (code) {
    case OpCode.Linear:
      return linear();
    case OpCode.Conv:
      return conv();
    case OpCode.DepthwiseConv:
      return depthwiseConv();
    case OpCode.Binary:
      return binary();
    case OpCode.Unary:
      return unary();
    case OpCode.Cast:
      return cast();
    case OpCode.Softmax:
      return softmax();
    case OpCode.LayerNorm:
      return layerNorm();
    default:
      failNode(CanisterError.unsupported);
      text('this worker has no such operator; use a newer worker');
      return FAILED;
  }
}
