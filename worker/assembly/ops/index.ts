import { CanisterError, OpCode } from '../generated/constants';
import { text } from '../tensor/errors';
import { failNode } from '../tensor/node';
import { binary } from './binary';
import { cast } from './cast';
import { concat } from './concat';
import { conv } from './conv';
import { constantOfShape, range } from './create';
import { depthwiseConv } from './depthwise-conv';
import { expand } from './expand';
import { gather } from './gather';
import { layerNorm } from './layer-norm';
import { linear } from './linear';
import { matmul } from './matmul';
import { pad } from './pad';
import { averagePool, globalAveragePool, maxPool } from './pool';
import { reduce } from './reduce';
import { flatten, identity, reshape, shapeOf, squeeze, unsqueeze } from './same-bytes';
import { slice } from './slice';
import { softmax } from './softmax';
import { FAILED } from './status';
import { transpose } from './transpose';
import { unary } from './unary';
import { where } from './where';

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
    case OpCode.MatMul:
      return matmul();
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
    case OpCode.Reduce:
      return reduce();
    case OpCode.MaxPool:
      return maxPool();
    case OpCode.AveragePool:
      return averagePool();
    case OpCode.GlobalAveragePool:
      return globalAveragePool();
    case OpCode.Transpose:
      return transpose();
    case OpCode.Reshape:
      return reshape();
    case OpCode.Shape:
      return shapeOf();
    case OpCode.Gather:
      return gather();
    case OpCode.Slice:
      return slice();
    case OpCode.Concat:
      return concat();
    case OpCode.Squeeze:
      return squeeze();
    case OpCode.Unsqueeze:
      return unsqueeze();
    case OpCode.Flatten:
      return flatten();
    case OpCode.Expand:
      return expand();
    case OpCode.Where:
      return where();
    case OpCode.ConstantOfShape:
      return constantOfShape();
    case OpCode.Range:
      return range();
    case OpCode.Pad:
      return pad();
    case OpCode.Identity:
      return identity();
    default:
      failNode(CanisterError.unsupported);
      text('this worker has no such operator; use a newer worker');
      return FAILED;
  }
}
