import { PostTransform } from '../generated/constants';

/** Instructions of a score, about. */
export const TRANSFORM: u64 = 150;

/** What `ai.onnx.ml` makes of a row of scores, in place. */
export function transformScores<T>(kind: u32, scores: usize, count: u32): void {
  if (kind == PostTransform.none) return;
  const end = scores + <usize>count * sizeof<T>();
  if (kind == PostTransform.softmax || kind == PostTransform.softmaxZero) {
    softmax<T>(scores, end, kind == PostTransform.softmaxZero);
    return;
  }
  for (let at = scores; at < end; at += sizeof<T>()) {
    const score = <f32>load<T>(at);
    store<T>(at, <T>(kind == PostTransform.logistic ? logistic(score) : probit(score)));
  }
}

export function logistic(score: f32): f32 {
  const part: f32 = 1 / (1 + Mathf.exp(-abs(score)));
  return score < 0 ? 1 - part : part;
}

/** By an approximation of the inverse error function, that of onnxruntime. */
function probit(score: f32): f32 {
  const given: f32 = 2 * score - 1;
  const logarithm = Mathf.log((1 - given) * (1 + given));
  const half: f32 = 2 / (3.14159 * <f32>0.147) + <f32>0.5 * logarithm;
  const root = sqrt<f32>(sqrt<f32>(half * half - (<f32>1 / <f32>0.147) * logarithm) - half);
  return <f32>1.41421356 * (given < 0 ? -root : root);
}

/** With `keepZeros`, a score of 0 has no part in the sum. */
function softmax<T>(scores: usize, end: usize, keepZeros: bool): void {
  let largest: f64 = -Infinity;
  for (let at = scores; at < end; at += sizeof<T>()) {
    const score = <f64>load<T>(at);
    if (score > largest) largest = score;
  }
  let sum: f64 = 0;
  for (let at = scores; at < end; at += sizeof<T>()) {
    const score = <f64>load<T>(at);
    let part: f64;
    if (keepZeros && abs(score) <= 0.0000001) part = score * Math.exp(-largest);
    else {
      part = Math.exp(score - largest);
      sum += part;
    }
    store<T>(at, <T>part);
  }
  for (let at = scores; at < end; at += sizeof<T>()) store<T>(at, <T>(<f64>load<T>(at) / sum));
}
