/** What `ai.onnx.ml` makes of the scores of a row. */
export const PostTransform = {
  none: 0,
  logistic: 1,
  softmax: 2,
  /** Scores of 0 stay 0. */
  softmaxZero: 3,
  /** Inverse of the normal distribution. */
  probit: 4,
} as const;
export type PostTransformName = keyof typeof PostTransform;

/**
 * How onnxruntime chooses a class of scores. Where a model scores one class of two, its sign or whether it
 * is above a half decides, and the other score is made of it.
 */
export const ClassRule = {
  /** no class */
  none: 0,
  /** the largest of three or more */
  many: 1,
  /** both of two are scored: the second where it is above 0 */
  two: 2,
  /** one of two, no weight below 0: the second where the score is above a half */
  onePositive: 3,
  /** one of two: the second where the score is above 0 */
  oneSigned: 4,
} as const;
export type ClassRuleName = keyof typeof ClassRule;
