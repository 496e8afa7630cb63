import { encodeBundle, type BundleTensor, type Plan } from '@canopy/protocol';
import { describe, expect, it } from 'vitest';
import { floatTensor } from '../models/inputs.js';
import { firstWrongAnswer, type AnswerCheck } from './answers.js';
import type { InferAnswer } from './request.js';

const tensor = (value: number): BundleTensor => floatTensor('y', [1, 1], Float32Array.of(value));
const answered = (
  index: number,
  value: number,
): { index: number; duration: 1; answer: InferAnswer } => {
  const bundle = encodeBundle([tensor(value)]);
  return { index, duration: 1, answer: { kind: 'outputs', bundle, bytesSent: [] } };
};
/** The answer to a request is its number, doubled. */
const check: AnswerCheck = {
  plan: {} as Plan,
  inputs: (request) => [tensor(request)],
  expected: ([input]) =>
    Promise.resolve([tensor(2 * new Float32Array(input!.data.slice().buffer)[0]!)]),
};

describe('answers of a run', () => {
  it('are all compared, in whatever order they come', async () => {
    const right = [3, 0, 2, 1].map((index) => answered(index, 2 * index));
    expect(await firstWrongAnswer(right, check)).toBeUndefined();
    expect(await firstWrongAnswer([...right, answered(4, 7)], check)).toMatch(
      /answer to request 4 is wrong: "y"\[0\] is 7, not 8/,
    );
  });

  it('that went to one another are wrong', async () => {
    const swapped = [answered(0, 0), answered(1, 4), answered(2, 2)];
    expect(await firstWrongAnswer(swapped, check)).toMatch(/request 1 is wrong/);
  });

  it('that are errors are named', async () => {
    const error = { kind: 'error', code: 'busy', message: 'full' } as const;
    const answers = [answered(0, 0), { index: 1, duration: 1, answer: error }];
    expect(await firstWrongAnswer(answers, check)).toBe('request 1 failed: [busy] full');
  });
});
