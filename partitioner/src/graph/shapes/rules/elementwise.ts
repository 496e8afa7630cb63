import { floorDivide, isAtLeastZero, multiply, subtract } from '../dim.js';
import { broadcastElements, type OnValues } from '../elements.js';
import { likeFirst, type Rule, rulesFor } from '../operation.js';

/** `a` less a multiple of `b`, both 0 or more. */
const remainder: OnValues = (a, b) => {
  if (b === 0 || !isAtLeastZero(a) || !isAtLeastZero(b)) return undefined;
  return subtract(a, multiply(floorDivide(a, b), b));
};

const castLike: Rule = (op) => [op.like(0, op.dtype(1))];

export const elementwise: Record<string, Rule> = {
  ...rulesFor(
    likeFirst(),
    ...['Elu', 'Selu', 'Celu', 'ThresholdedRelu', 'Softsign', 'Mish', 'Shrink', 'Swish', 'Tan'],
    ...[
      'Asin',
      'Acos',
      'Atan',
      'Sinh',
      'Cosh',
      'Asinh',
      'Acosh',
      'Atanh',
      'BitwiseNot',
      'Bernoulli',
    ],
    ...['com.microsoft.FastGelu', 'com.microsoft.BiasSplitGelu'],
  ),
  ...rulesFor(likeFirst('bool'), 'IsNaN', 'IsInf'),
  Mod: broadcastElements(undefined, () => remainder),
  Mean: broadcastElements(),
  ...rulesFor(broadcastElements(), 'BitShift', 'BitwiseAnd', 'BitwiseOr', 'BitwiseXor'),
  CastLike: castLike,
};
