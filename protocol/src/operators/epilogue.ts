import { f32, group, oneOf, type ValueOf } from './attribute.js';

/** Activations of an epilogue; the same codes begin `UnaryKind`. */
export const Activation = {
  none: 0,
  relu: 1,
  /** alpha = minimum, beta = maximum */
  clip: 2,
  /** x * clip(x + 3, 0, 6) / 6 */
  hardSwish: 3,
  /** clip(alpha * x + beta, 0, 1) */
  hardSigmoid: 4,
  sigmoid: 5,
  /** x * sigmoid(alpha * x); SiLU where alpha is 1 */
  quickGelu: 6,
  /** x / 2 * (1 + erf(x / sqrt 2)) */
  gelu: 7,
  tanh: 8,
  /** x < 0 ? alpha * x : x */
  leakyRelu: 9,
} as const;
export type ActivationName = keyof typeof Activation;

/** What a kernel does to each f32 result before storing it: `act(x) * scale + shift`. */
export const epilogue = group({
  activation: oneOf(Activation),
  alpha: f32,
  beta: f32,
  scale: f32,
  shift: f32,
});
export type Epilogue = ValueOf<typeof epilogue>;
