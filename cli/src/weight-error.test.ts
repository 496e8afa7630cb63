import { describe, expect, it } from 'vitest';
import { describeWeightError, outputError, requireSmallError } from './weight-error.js';

describe('the error of a plan', () => {
  it('tells largest and mean difference, angle, and rows whose largest number moved', () => {
    const error = outputError('y', [1, 2, 3, 9, 5, 6], [1, 2, 4, 9, 5, 10], 3);
    expect(error).toMatchObject({ largest: 4, magnitude: 10, rows: 2, topChanged: 1 });
    expect(error.mean).toBeCloseTo(5 / 6);
    expect(error.cosine).toBeCloseTo(183 / Math.sqrt(156 * 227));
  });

  it('of equal outputs is nothing, of NaN infinite', () => {
    const same = outputError('y', [0, Infinity, NaN], [0, Infinity, NaN], 3);
    expect(same).toMatchObject({ largest: 0, mean: 0, topChanged: 0 });
    expect(outputError('y', [NaN, 1], [0, 1], 2).largest).toBe(Infinity);
    expect(outputError('y', [0, 0], [0, 0], 2).cosine).toBe(1);
  });

  it('is refused where it is larger than allowed', () => {
    const outputs = [outputError('y', [1, 2], [1, 2.5], 2)];
    const error = { outputs, instructions: 1e6 };
    expect(() => {
      requireSmallError(error, 0.4);
    }).toThrow('off by more than --max-error 0.4: "y" by 5.00e-1');
    requireSmallError(error, 0.5);
    requireSmallError(error, undefined);
    expect(describeWeightError(error)).toContain('y: largest 5.00e-1');
    const none = { outputs: [outputError('y', [NaN], [1], 1)], instructions: 0 };
    expect(() => {
      requireSmallError(none, 1e30);
    }).toThrow('"y" by Infinity');
  });
});
